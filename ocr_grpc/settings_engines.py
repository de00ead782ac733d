"""The settings about what reads images: engines, their fleet, and language models."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

MIB = 1024 * 1024
DAY_SECONDS = 86_400
LEAST_TOKEN_CHARS = 32
MOST_TOKEN_CHARS = 1024


class EngineSettings(BaseSettings):
    """Engines on this machine, on others, and behind servers of language models."""

    engine: Literal["ppocr", "vlm", "null", "crash", "hang", "empty"] = Field(
        default="ppocr",
        description="Engine unless callers choose; vlm needs LLM_BASE_URL. Others serve tests.",
    )
    engine_workers: int = Field(
        default=0,
        ge=-1,
        le=256,
        description="Engine processes of one thread each. 0: one per processor core. -1: none.",
    )
    engine_backend: Literal["auto", "openvino", "onnxruntime"] = Field(
        default="auto", description="Inference runtime. auto takes the faster one on this machine."
    )
    engine_precision: Literal["auto", "bf16", "f32"] = Field(
        default="auto",
        description="Arithmetic. auto takes bf16 where the processor computes it (AMX), else f32.",
    )
    engine_start_seconds: float = Field(
        default=120,
        gt=0,
        le=DAY_SECONDS,
        description="Seconds a worker may take until it is ready.",
    )
    engine_memory_bytes: int = Field(
        default=2048 * MIB,
        ge=256 * MIB,
        description="Resident memory at which a worker is replaced, in bytes.",
    )

    engine_endpoints: str = Field(
        default="",
        description="Machines that run `ocr-grpc engine`, host:port, comma separated.",
    )
    engine_tls: bool = Field(
        default=True, description="Whether these are spoken to over TLS. false: a private network."
    )
    engine_token: SecretStr = Field(
        default=SecretStr(""),
        description="Secret that `serve` and `ocr-grpc engine` share, 32 characters or more.",
    )
    engine_ca_file: Path | None = Field(
        default=None,
        description="Authority of the other side's certificate in PEM. Empty: the system's.",
    )
    engine_cert_file: Path | None = Field(
        default=None, description="Certificate chain in PEM that `serve` shows to engine machines."
    )
    engine_key_file: Path | None = Field(default=None, description="Its private key in PEM.")
    engine_host: str = Field(
        default="127.0.0.1", description="Address that `ocr-grpc engine` listens on."
    )
    engine_port: int = Field(
        default=50052, ge=0, le=65535, description="Its port. 0 takes a free one."
    )

    tesseract_workers: int = Field(
        default=1,
        ge=0,
        le=256,
        description="Processes for Tesseract, where that program is installed. 0: none.",
    )
    tesseract_binary: Path | None = Field(
        default=None, description="The program. Empty: the one on the PATH."
    )

    llm_base_url: str = Field(
        default="",
        description="Server of a vision-language model: OpenAI's protocol, such as vLLM. /v1 too.",
    )
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="Its API key, if it asks.")
    llm_model: str = Field(
        default="", description="Model to ask for. Empty: the first one that the server lists."
    )
    llm_profile: str = Field(
        default="auto", description="How the model wants to be asked. auto goes by its name."
    )
    llm_prompt: str = Field(
        default="", description="What it is asked. Empty: what its makers recommend."
    )
    llm_caller_prompts: bool = Field(
        default=True, description="Whether callers may send a prompt of their own."
    )
    llm_concurrency: int = Field(
        default=16, ge=1, le=4096, description="Most pages that are with the model at a time."
    )
    llm_context_tokens: int = Field(
        default=0, ge=0, description="Tokens of the model's context. 0: as its makers say."
    )
    llm_first_token_seconds: float = Field(
        default=60,
        gt=0,
        le=DAY_SECONDS,
        description="Seconds until the first token; then the page is tried again.",
    )
    llm_idle_seconds: float = Field(
        default=20, gt=0, le=DAY_SECONDS, description="Seconds between two tokens, at most."
    )
    llm_retries: int = Field(
        default=2, ge=0, le=10, description="Tries again after 429, 5xx or a lost connection."
    )

    @field_validator(
        "engine_ca_file",
        "engine_cert_file",
        "engine_key_file",
        "tesseract_binary",
        mode="before",
    )
    @classmethod
    def _no_path(cls, value: object) -> object:
        return value or None

    @field_validator("engine_token")
    @classmethod
    def _is_long(cls, value: SecretStr) -> SecretStr:
        # Secrets that are read from files often end with a new line, which no header may hold.
        token = value.get_secret_value().strip()
        if not (token.isascii() and token.isprintable()):
            raise ValueError("must consist of printable ASCII characters")
        if token and not LEAST_TOKEN_CHARS <= len(token) <= MOST_TOKEN_CHARS:
            raise ValueError(f"must have {LEAST_TOKEN_CHARS} to {MOST_TOKEN_CHARS} characters")
        return SecretStr(token)

    @field_validator("engine_endpoints")
    @classmethod
    def _has_no_empty_ends(cls, value: str) -> str:
        # Where each is and whether it can be, `serve` looks at its start.
        return value.strip(", \t\r\n")

    @field_validator("llm_base_url")
    @classmethod
    def _is_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.scheme in ("http", "https") and parts.netloc):
            raise ValueError("must be a URL such as http://gpu.example.com:8000/v1")
        if parts.username or parts.password:
            raise ValueError("must hold no credentials; put them into LLM_API_KEY")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _engines_are_whole(self) -> "EngineSettings":
        if (self.engine_cert_file is None) != (self.engine_key_file is None):
            raise ValueError("ENGINE_CERT_FILE and ENGINE_KEY_FILE are set together or not at all")
        if self.engine_workers < 0 and not self.engine_endpoints:
            raise ValueError("ENGINE_WORKERS=-1 needs ENGINE_ENDPOINTS: nobody else would read")
        if self.engine == "vlm" and not self.llm_base_url:
            raise ValueError("ENGINE=vlm needs LLM_BASE_URL")
        return self
