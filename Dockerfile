# syntax=docker/dockerfile:1
# One image per part, each with its own pinned requirements and no other part's code: `docker compose build`.
# The requirements are locked for Linux on x86-64; docker-compose.yml asks for that platform.

FROM node:24-slim AS web
ENV NG_CLI_ANALYTICS=false
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY web ./
RUN npm run build


FROM python:3.11-slim AS base
ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    FORETICK_HOME=/var/lib/foretick
# A named volume takes over the owner of the folder it is first mounted on.
RUN useradd --uid 10001 --no-create-home foretick && install -d -o foretick -g foretick /var/lib/foretick
WORKDIR /srv/foretick


FROM base AS producers
COPY requirements/producers.txt requirements/
RUN pip install --require-hashes -r requirements/producers.txt
COPY contracts contracts
COPY streaming streaming
COPY producers producers
USER foretick
CMD ["python", "-m", "producers.main"]


FROM base AS projections
COPY requirements/projections.txt requirements/
RUN pip install --require-hashes -r requirements/projections.txt
COPY contracts contracts
COPY streaming streaming
COPY projections projections
USER foretick
CMD ["python", "-m", "projections.main"]


FROM base AS forecasting
ENV MPLCONFIGDIR=/tmp/matplotlib GIT_PYTHON_REFRESH=quiet MLFLOW_DISABLE_TELEMETRY=true
COPY requirements/forecasting.txt requirements/
RUN pip install --require-hashes -r requirements/forecasting.txt
COPY contracts contracts
COPY streaming streaming
COPY forecasting forecasting
USER foretick
CMD ["python", "-m", "forecasting.serving.main"]


# Airflow orders the work; it is done in an environment of its own, whose versions Airflow's would not allow.
FROM apache/airflow:3.3.2-python3.11 AS airflow
USER root
RUN install -d -o airflow -g root /opt/foretick /srv/foretick /opt/airflow/state
USER airflow
ENV MPLCONFIGDIR=/tmp/matplotlib GIT_PYTHON_REFRESH=quiet MLFLOW_DISABLE_TELEMETRY=true PIP_NO_CACHE_DIR=1
COPY requirements/producers.txt requirements/projections.txt requirements/forecasting.txt requirements/cli.txt \
    /srv/foretick/requirements/
# The image sets PIP_USER, which an environment refuses.
RUN python -m venv /opt/foretick && cd /srv/foretick/requirements && PIP_USER=false \
    /opt/foretick/bin/pip install --require-hashes -r producers.txt -r projections.txt -r forecasting.txt -r cli.txt
COPY contracts /srv/foretick/contracts
COPY streaming /srv/foretick/streaming
COPY producers /srv/foretick/producers
COPY projections /srv/foretick/projections
COPY forecasting /srv/foretick/forecasting
COPY stack /srv/foretick/stack
# What the workflows call: train, ingest, rebuild and drift. The stack of processes is Docker's here.
COPY --chmod=755 <<"SCRIPT" /opt/foretick/bin/foretick
#!/bin/sh
PYTHONPATH=/srv/foretick exec /opt/foretick/bin/python -m stack "$@"
SCRIPT
ENV FORETICK_COMMAND=/opt/foretick/bin/foretick
COPY dags /opt/airflow/dags


FROM base AS gateway
COPY requirements/gateway.txt requirements/
RUN pip install --require-hashes -r requirements/gateway.txt
COPY --from=web /web/dist/browser /srv/web
COPY contracts contracts
COPY streaming streaming
COPY gateway gateway
ENV FORETICK_WEB=/srv/web
USER foretick
CMD ["python", "-m", "gateway.main"]


# Servers of others, as a user of their own: a named volume takes over the owner of the folder it is first mounted on.
FROM apicurio/apicurio-registry:3.3.3 AS registry
USER root
RUN mkdir -p /var/lib/apicurio && chown 10001:0 /var/lib/apicurio
USER 10001:0


FROM ghcr.io/mlflow/mlflow:v3.17.2 AS mlflow
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
RUN mkdir -p /var/lib/mlflow && chown 10001:0 /var/lib/mlflow
USER 10001:0
