"""What the operator says about the model's server; the fields are the settings of these names."""

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True, slots=True)
class VisionSettings:
    """See `EngineSettings` for what each means; the key is the one that never prints."""

    llm_base_url: str
    llm_api_key: SecretStr = field(default=SecretStr(""), repr=False)
    llm_model: str = ""
    llm_profile: str = "auto"
    llm_prompt: str = field(default="", repr=False)
    llm_caller_prompts: bool = True
    llm_concurrency: int = 16
    llm_context_tokens: int = 0
    llm_first_token_seconds: float = 60
    llm_idle_seconds: float = 20
    llm_retries: int = 2
