# syntax=docker/dockerfile:1
# Counterfoil in a small image: `docker run --publish 8000:8000 --volume counterfoil:/data counterfoil`

FROM python:3.13-slim-trixie AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/counterfoil
ENV PATH=/opt/counterfoil/bin:$PATH
# The packages before the code: a change of the code leaves this layer as it is.
COPY requirements.lock .
RUN pip install --require-hashes --no-deps --requirement requirements.lock
COPY . /app
RUN pip install --no-deps --no-build-isolation --editable /app && python -m compileall -q /app

FROM python:3.13-slim-trixie
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        fonts-inter fonts-noto-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin counterfoil \
    && install --directory --owner counterfoil --group counterfoil /data
COPY --from=build /opt/counterfoil /opt/counterfoil
COPY --from=build /app /app
# Links and QR codes start with the base URL: set it to the address that shoppers reach.
ENV PATH=/opt/counterfoil/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    COUNTERFOIL_BASE_URL=http://127.0.0.1:8000 \
    COUNTERFOIL_DATA_DIR=/data \
    COUNTERFOIL_HOST=0.0.0.0 \
    COUNTERFOIL_PORT=8000
USER counterfoil
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['COUNTERFOIL_PORT'] + '/healthz')"]
CMD ["counterfoil", "serve"]
