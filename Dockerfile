#   docker build -t parallel-ops .                     the service: no demo, no tools, not root
#   docker build -t parallel-ops-demo --target demo .  what fills a database with made-up data
#   --build-arg LOCK=requirements-otel.lock            with what traces need (the extra `otel`)
#
# Python is the version that the tests run on.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# First what changes seldom. The environment has no pip of its own, so the image's writes into it.
COPY requirements-build.lock requirements-runtime.lock requirements-otel.lock ./
ARG LOCK=requirements-runtime.lock
RUN pip install --require-hashes -r requirements-build.lock \
 && python -m venv --without-pip /opt/parallel-ops \
 && pip --python /opt/parallel-ops/bin/python install --require-hashes --only-binary :all: -r "$LOCK"
COPY pyproject.toml README.md LICENSE ./
COPY recorder recorder
COPY migrations_none migrations_none
COPY docs/runbook.md docs/runbook.md
COPY service service
RUN pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . ./recorder \
 && pip --python /opt/parallel-ops/bin/python install --no-deps --no-index /wheels/*.whl \
 && /opt/parallel-ops/bin/python -m compileall -q /opt/parallel-ops/lib

# The same package once more, now that its folder demo is there.
FROM build AS with-demo
COPY demo demo
RUN pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /wheels . \
 && pip --python /opt/parallel-ops/bin/python install --force-reinstall --no-deps --no-index /wheels/parallel_ops-*.whl \
 && /opt/parallel-ops/bin/python -m compileall -q /opt/parallel-ops/lib

FROM python:${PYTHON} AS base
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin parallel-ops
ENV PATH=/opt/parallel-ops/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp

FROM base AS demo
COPY --from=with-demo /opt/parallel-ops /opt/parallel-ops
ENTRYPOINT ["python", "-m"]
CMD ["demo.seed", "--help"]

# The last stage is what is built when none is named.
FROM base AS service
COPY --from=build /opt/parallel-ops /opt/parallel-ops
EXPOSE 8000
# Whether the process lives; whether it should be sent requests is /health/ready's to say.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
# Stopping takes PARALLEL_OPS_DRAIN_SECONDS and at most PARALLEL_OPS_SHUTDOWN_SECONDS more, 22 s by
# default: whoever stops it must wait as long (docker stop --timeout 30, stop_grace_period: 30s).
STOPSIGNAL SIGTERM
ENTRYPOINT ["parallel-ops"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
