# syntax=docker/dockerfile:1

# Debian slim in both stages: the wheels of the lock are built for glibc.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm
ARG NODE_IMAGE=node:22-bookworm-slim

FROM ${NODE_IMAGE} AS qr_reader
WORKDIR /qr_reader
COPY app/ app/
RUN cd app/http/qr_reader \
    && npm ci --no-audit --no-fund --ignore-scripts \
    && mkdir /qr_reader/served \
    && cp node_modules/qr/decode.js node_modules/qr/index.js /qr_reader/served/ \
    && cp node_modules/qr/LICENSE-MIT /qr_reader/served/LICENSE-MIT.txt


FROM ${PYTHON_IMAGE} AS builder
WORKDIR /srv/sceau
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
RUN pip install --no-cache-dir --disable-pip-version-check uv==0.13.9 \
    && python -m venv --without-pip /opt/sceau
# requirements.lock with the extras hsm and telemetry: one image for every installation.
COPY requirements-image.lock ./
RUN uv pip install --python /opt/sceau/bin/python --require-hashes -r requirements-image.lock
COPY pyproject.toml README.md LICENSE ./
COPY app/ app/
COPY --from=qr_reader /qr_reader/served/ app/http/static/qr/
COPY packages/ packages/
COPY demo/ demo/
COPY alembic/ alembic/
COPY badge_templates/ badge_templates/
RUN uv pip install --python /opt/sceau/bin/python --no-deps --editable . \
    && /opt/sceau/bin/python -m app.language.build --compile \
    && /opt/sceau/bin/python -m compileall -q app packages demo


FROM ${PYTHON_IMAGE} AS service
LABEL org.opencontainers.image.title="Sceau" \
      org.opencontainers.image.description="Open Badges 3.0: award, sign, publish, verify." \
      org.opencontainers.image.licenses="EUPL-1.2"
# pg_dump and pg_restore, for `sceau backup` and `sceau restore --backup`.
RUN apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 sceau \
    && useradd --no-log-init --uid 10001 --gid sceau --home-dir /data --no-create-home --shell /usr/sbin/nologin sceau \
    && install --directory --owner=sceau --group=sceau --mode=0750 /data /development /anchors
COPY --from=builder /opt/sceau /opt/sceau
COPY --from=builder /srv/sceau /srv/sceau
WORKDIR /srv/sceau
ENV PATH=/opt/sceau/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SCEAU_HOST=0.0.0.0 \
    SCEAU_PORT=8000 \
    SCEAU_DATABASE_URL=sqlite:////data/sceau.sqlite \
    SCEAU_DEVELOPMENT_DIR=/development
# SCEAU_BASE_URL, SCEAU_SECRET and SCEAU_KEK have no default here: outside localhost the service
# says which one is missing and does not start. On localhost it makes its own in /development,
# which is a place of its own because keys must not lie beside the database they protect.
USER 10001:10001
VOLUME ["/data", "/development"]
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ['SCEAU_PORT']}/health/ready\", timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["sceau"]
CMD ["serve"]
