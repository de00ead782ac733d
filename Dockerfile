# syntax=docker/dockerfile:1
# The service in all its roles: `serve`, `engine`, `worker`, `migrate`, and Envoy (docs/deployment.md).

# The Python and the Debian that all tests run on.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY deploy/build-requirements.lock deploy/
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /build \
    && /build/bin/pip install --quiet --require-hashes -r deploy/build-requirements.lock
# Dependencies change less often than our code: a layer of their own.
COPY deploy/requirements.lock deploy/slim ./deploy/
RUN --mount=type=cache,target=/root/.cache/uv \
    python3 -m venv --without-pip /opt/ocr-grpc \
    && /build/bin/uv pip install --quiet --python /opt/ocr-grpc/bin/python \
         --require-hashes -r deploy/requirements.lock \
    && deploy/slim /opt/ocr-grpc
COPY pyproject.toml README.md ./
COPY migrations migrations
COPY ocr_grpc ocr_grpc
# hatchling is that of /build: nothing is fetched that was not checked.
RUN VIRTUAL_ENV=/build /build/bin/uv build --quiet --offline --wheel --no-build-isolation --out-dir /wheel \
    && /build/bin/uv pip install --quiet --offline --python /opt/ocr-grpc/bin/python --no-deps /wheel/*.whl \
    # The root of the file system is read-only later: without bytecode every process would compile all it imports.
    && /opt/ocr-grpc/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/ocr-grpc/lib

FROM ${PYTHON_IMAGE}
# Such as "tesseract-ocr tesseract-ocr-rus": the second engine, for scripts that the first one does not read.
ARG TESSERACT_PACKAGES=""
# tini ends what was left by a process that was killed; Python as process 1 would not.
# hadolint ignore=DL3008,SC2086
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini ${TESSERACT_PACKAGES} \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/* \
    # Volumes take their owner from the folders that they are put over.
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /documents
COPY --from=build /opt/ocr-grpc /opt/ocr-grpc
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="ocr_grpc" \
      org.opencontainers.image.description="A self-hosted OCR service that streams recognized text over gRPC" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# HOST: other containers, and published ports, come from outside of this one. HOME: the user has none, and OpenVINO
# does not load without.
ENV PATH=/opt/ocr-grpc/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 ENGINE_HOST=0.0.0.0 DATA_DIR=/data HOME=/data LOG_FORMAT=json
# A number, so that Kubernetes can see that it is not root. It needs no name.
USER 10001:10001
WORKDIR /data
VOLUME /data
# gRPC, HTTP, metrics, and the gRPC of `ocr-grpc engine`.
EXPOSE 50051 8080 9090 50052
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s --retries=3 \
    CMD ["ocr-grpc", "health"]
ENTRYPOINT ["/usr/bin/tini", "--", "ocr-grpc"]
CMD ["serve"]
