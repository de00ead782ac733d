"""Vision-language models behind servers that speak OpenAI's protocol, such as vLLM."""
