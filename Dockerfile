# One image for every process of the gate and for the reference registrar; the command says which.
# Built from the hashed lock; nothing is resolved here. Runs as uid 10001, writes to /data only.

FROM python:3.11.11-slim-bookworm AS wheels
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /srv/venv
COPY requirements/runtime.lock /srv/
RUN /srv/venv/bin/pip install --require-hashes -r /srv/runtime.lock

FROM python:3.11.11-slim-bookworm
LABEL org.opencontainers.image.title="pratunam" org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 gate && useradd --uid 10001 --gid gate --no-create-home --shell /usr/sbin/nologin gate \
    && install -d -o gate -g gate -m 0700 /data
COPY --from=wheels /srv/venv /srv/venv
WORKDIR /srv/pratunam
COPY LICENSE ./
COPY domain domain
COPY metrics metrics
COPY profiles profiles
COPY ledger ledger
COPY intake intake
COPY quotas quotas
COPY scheduler scheduler
COPY planner planner
COPY workers workers
COPY console console
COPY registrar registrar
COPY pratunam pratunam
# Linked, not built (docs/decisions/0004-linked-not-built.md).
RUN echo /srv/pratunam > "$(/srv/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pratunam.pth" \
    && printf '#!/srv/venv/bin/python\nimport sys\nfrom pratunam.cli import main\nsys.exit(main())\n' > /srv/venv/bin/pratunam \
    && chmod 0755 /srv/venv/bin/pratunam && /srv/venv/bin/python -m compileall -q /srv/pratunam
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PRATUNAM_HOME=/data/home \
    PRATUNAM_HOST=0.0.0.0 \
    PRATUNAM_PORT=9464 \
    PRATUNAM_LOG_FORMAT=json
USER 10001:10001
VOLUME ["/data"]
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9464/metrics', timeout=2)"]
ENTRYPOINT ["pratunam"]
