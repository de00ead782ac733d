"""Secrets are planted everywhere they can be, and then looked for everywhere they must not be."""

import io

import grpc
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import select

from ocr_grpc.settings import Settings
from ocr_grpc.store import tables
from ocr_grpc.store.database import Database
from ocr_grpc.v1 import admin_service_pb2 as admin_pb
from ocr_grpc.v1 import auth_service_pb2 as auth_pb
from ocr_grpc.v1 import batch_service_pb2 as batch_pb
from ocr_grpc.v1 import keys_service_pb2 as keys_pb
from ocr_grpc.v1 import ocr_service_pb2 as pb
from ocr_grpc.v1 import options_pb2
from tests.people import ADMIN_PASSWORD, PASSWORD, House, Metadata, api_key, bearer
from tests.processes import serve

SIGNING = "canary-signing-secret-canary-signing"
SMTP = "smtp://mailer:canary-smtp-password@127.0.0.1:1"
OTHER_PASSWORD = "canary wrong password"
THIRD_PASSWORD = "canary next password"
DOCUMENT_PASSWORD = "canary-of-a-document"
WRONG_DOCUMENT_PASSWORD = "canary-of-none"
URL_KEY = "canary-key-in-a-url"


def encrypted(password: str) -> pb.ExtractRequest:
    """Return a document that one of the passwords opens, and a password for it."""
    sink = io.BytesIO()
    canvas = Canvas(sink, encrypt=DOCUMENT_PASSWORD)
    canvas.drawString(72, 700, "Text behind a password.")
    canvas.save()
    options = options_pb2.ExtractOptions(password=password)
    return pb.ExtractRequest(content=sink.getvalue(), options=options, request_id="secret-1")


async def keep_secrets(home: House, user: Metadata) -> str:
    """Have secrets kept for work in the background; return what is said of the documents."""
    document = encrypted(DOCUMENT_PASSWORD)
    kept = {"options": document.options, "content": document.content}
    url = f"https://files.invalid/a.pdf?key={URL_KEY}"
    asked = batch_pb.CreateBatchRequest(documents=[kept, {"url": url, "options": kept["options"]}])
    batch_id = (await home.batches.CreateBatch(asked, metadata=user)).batch.batch_id
    watching = batch_pb.WatchBatchRequest(batch_id=batch_id, pages=True)
    events = []
    async for event in home.batches.WatchBatch(watching, metadata=user):
        events.append(event)
        if event.HasField("document_finished"):
            break
    stream = pb.StreamExtractRequest(
        content=document.content, options=document.options, resumable=True
    )
    events += [event async for event in home.ocr.StreamExtract(stream, metadata=user)]
    listing = batch_pb.ListBatchDocumentsRequest(batch_id=batch_id)
    listed = await home.batches.ListBatchDocuments(listing, metadata=user)
    batch = await home.batches.GetBatch(batch_pb.GetBatchRequest(batch_id=batch_id), metadata=user)
    return f"{events} {listed} {batch}"


async def errors_of(*calls) -> str:
    """Let calls fail, and return all that their callers are told."""
    told = []
    for call in calls:
        try:
            told.append(str(await call))
        except grpc.aio.AioRpcError as error:
            told.append(f"{error!r} {error.trailing_metadata()}")
    return "\n".join(told)


async def use_secrets(home: House) -> tuple[set[str], str]:
    """Use every kind of secret, well and badly; return them, and what errors said."""
    tokens = await home.login("admin", ADMIN_PASSWORD)
    admin = bearer(tokens.access_token)
    await home.register("ann", email="ann@example.com")
    login = await home.login("ann")
    user = bearer(login.access_token)
    made = await home.keys.CreateKey(keys_pb.CreateKeyRequest(), metadata=user)
    rotated = await home.keys.RotateKey(
        keys_pb.RotateKeyRequest(key_id=made.key.key_id), metadata=user
    )
    invite = await home.admins.CreateInvite(admin_pb.CreateInviteRequest(), metadata=admin)
    next_pair = await home.auth.RefreshToken(
        auth_pb.RefreshTokenRequest(refresh_token=login.refresh_token)
    )
    mistyped = made.secret[:-1] + ("a" if made.secret[-1] != "a" else "b")
    told = await errors_of(
        home.auth.Login(auth_pb.LoginRequest(user_name="ann", password=OTHER_PASSWORD)),
        home.auth.Login(auth_pb.LoginRequest(user_name=OTHER_PASSWORD, password="x")),
        home.auth.RefreshToken(auth_pb.RefreshTokenRequest(refresh_token=login.refresh_token)),
        home.auth.RefreshToken(auth_pb.RefreshTokenRequest(refresh_token=made.secret)),
        home.auth.VerifyEmail(auth_pb.VerifyEmailRequest(token=invite.code)),
        home.auth.RequestPasswordReset(auth_pb.RequestPasswordResetRequest(email="a@b.example")),
        home.auth.Register(
            auth_pb.RegisterRequest(
                user_name="ann", password=THIRD_PASSWORD, invite_code=next_pair.refresh_token
            )
        ),
        home.ocr.Extract(pb.ExtractRequest(content=b"x"), metadata=api_key(made.secret)),
        home.ocr.Extract(pb.ExtractRequest(content=b"x"), metadata=api_key(mistyped)),
        home.ocr.Extract(pb.ExtractRequest(content=b"x"), metadata=api_key(rotated.secret)),
        home.ocr.Extract(pb.ExtractRequest(content=b"x"), metadata=bearer(invite.code)),
        home.ocr.Extract(encrypted(DOCUMENT_PASSWORD), metadata=api_key(rotated.secret)),
        home.ocr.Extract(encrypted(WRONG_DOCUMENT_PASSWORD), metadata=api_key(rotated.secret)),
        home.ocr.Extract(pb.ExtractRequest(), metadata=bearer(login.access_token[:-5] + "AAAAA")),
    )
    told += await keep_secrets(home, admin)
    secrets = {
        URL_KEY,
        PASSWORD,
        ADMIN_PASSWORD,
        OTHER_PASSWORD,
        THIRD_PASSWORD,
        DOCUMENT_PASSWORD,
        WRONG_DOCUMENT_PASSWORD,
        SIGNING,
        "canary-smtp-password",
        made.secret,
        mistyped,
        rotated.secret,
        invite.code,
        tokens.access_token,
        tokens.refresh_token,
        login.access_token,
        login.refresh_token,
        next_pair.access_token,
        next_pair.refresh_token,
    }
    return secrets, told


async def all_rows(url: str) -> str:
    """Return everything that stands in the database."""
    database = Database(url)
    found = []
    async with database.read() as session:
        for table in tables.metadata.sorted_tables:
            found += [repr(tuple(row)) for row in (await session.execute(select(table))).all()]
    await database.close()
    return "\n".join(found)


def found_in(secrets: set[str], text: str) -> set[str]:
    return {secret for secret in secrets if secret and secret in text}


async def test_no_secret_leaves_the_place_it_belongs_to(tmp_path, backend):
    values = {name.upper(): value for name, value in backend.settings.items()}
    values |= {"SECRET_KEY": SIGNING, "SMTP_URL": SMTP, "BOOTSTRAP_PASS": ADMIN_PASSWORD}
    values |= {"AUTH_ENABLED": "true", "LOG_LEVEL": "debug", "FETCH_HOSTS": "files.invalid"}
    values |= {"BATCHES_IN_SERVE": "true"}
    with serve(tmp_path, **values) as (_, address):
        async with grpc.aio.insecure_channel(address) as channel:
            secrets, told = await use_secrets(House(channel))
    log = (tmp_path / "serve.log").read_text()
    assert len(secrets) == 19
    assert "behind a password" in told
    assert "behind a password" not in log
    assert "PASSWORD_WRONG" in told
    assert "LOGIN_FAILED" in told
    assert "AuthService/Login" in log
    assert not found_in(secrets, told)
    assert not found_in(secrets, await all_rows(backend.database_url))
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "local.key":
            content = file.read_bytes().decode("latin-1")
            assert not found_in(secrets, content), file.name


def test_no_setting_shows_its_secret():
    values = {
        "secret_key": SIGNING,
        "smtp_url": SMTP,
        "bootstrap_pass": PASSWORD,
        "database_url": "postgresql://user:canary-database@host/name",
        "redis_url": "redis://:canary-redis@host/0",
    }
    settings = Settings(_env_file=None, **values)
    assert not found_in({SIGNING, PASSWORD, "canary"}, repr(settings) + str(settings))
