# The released wheel with exactly what it was tested with, for whoever runs containers.
#
#   make release && docker build --tag fleet-pipeline .
#
# deploy/compose.yaml tells how to run it.
#
# Not built where it was written (there was no engine); its rules are checked by hadolint, and what
# it installs is what `make release` installs and tries elsewhere.

FROM python:3.11-slim-bookworm AS build
COPY requirements-uv.lock /build/
RUN pip install --no-cache-dir --require-hashes --requirement /build/requirements-uv.lock
COPY dist/requirements.txt dist/*.whl /build/
RUN uv venv --python /usr/local/bin/python /opt/fleet \
 && uv pip install --no-cache --python /opt/fleet/bin/python --require-hashes --compile-bytecode \
      --requirement /build/requirements.txt \
 && uv pip install --no-cache --python /opt/fleet/bin/python --no-deps --compile-bytecode \
      /build/*.whl

FROM python:3.11-slim-bookworm
COPY --from=build /opt/fleet /opt/fleet
# Nothing below /opt can be written by this user; its only places are /data and /tmp.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin fleet \
 && install --directory --owner fleet --mode 0700 /data
ENV PATH=/opt/fleet/bin:$PATH \
    HOME=/tmp \
    FLEET_HOME=/data \
    FLEET_LOG=json \
    PYTHONDONTWRITEBYTECODE=1
USER 10001
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=5m --timeout=30s CMD ["fleet", "lake", "status", "--json"]
ENTRYPOINT ["fleet"]
CMD ["refresh"]
