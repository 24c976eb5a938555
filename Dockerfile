# The base brings Python (3.11 or newer), its venv module, git, ssh and CA certificates, or gets them from Debian's
# packages.
ARG BASE=docker.io/library/debian:bookworm-slim
ARG GO_BASE=docker.io/library/golang:1.26-bookworm

FROM ${GO_BASE} AS entrypoint
RUN command -v go >/dev/null || { \
      apt-get update \
      && apt-get install --yes --no-install-recommends golang-go \
      && rm -rf /var/lib/apt/lists/*; }
WORKDIR /src
COPY entrypoint/ ./
# Static and without version control stamps: the same sources give the same bytes.
RUN CGO_ENABLED=0 GOFLAGS=-buildvcs=false GOCACHE=/tmp/go-cache \
      go build -trimpath -ldflags '-s -w' -o /autopack-entrypoint . \
    && rm -rf /tmp/go-cache

FROM ${BASE} AS base
RUN if ! { command -v git && command -v ssh && python3 -c 'import ensurepip, venv' && test -s /etc/ssl/certs/ca-certificates.crt; } >/dev/null; then \
      apt-get update \
      && apt-get install --yes --no-install-recommends python3 python3-venv git openssh-client ca-certificates \
      && rm -rf /var/lib/apt/lists/*; fi

# The dependencies change seldom: they have a layer of their own, below the sources.
FROM base AS dependencies
COPY requirements.lock /tmp/requirements.lock
RUN python3 -m venv /opt/autopack \
    && /opt/autopack/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
         --require-hashes --requirement /tmp/requirements.lock \
    && /opt/autopack/bin/pip uninstall --yes --quiet pip setuptools \
    && find /opt/autopack -type d -name tests -path '*/site-packages/*' -prune -exec rm -rf {} + \
    && /opt/autopack/bin/python -c "import pathlib, sysconfig; \
         pathlib.Path(sysconfig.get_path('purelib'), 'autopack.pth').write_text('/opt/autopack/src\n')" \
    && for package in autopack:autopack_cli.main autopack-runtime:autopack_runtime.main autopack-operator:autopack_operator.main \
         autopack-dashboard:autopack_dashboard.main autopack-gateway:autopack_gateway.service.main \
         kubectl_complete-autopack:autopack_cli.cluster.kubectl_complete; do \
         printf '#!/opt/autopack/bin/python\nimport sys\nfrom %s import main\nsys.exit(main())\n' "${package#*:}" \
           > "/opt/autopack/bin/${package%%:*}" \
         && chmod 0755 "/opt/autopack/bin/${package%%:*}"; done

FROM base
COPY --from=dependencies /opt/autopack /opt/autopack
COPY --from=entrypoint /autopack-entrypoint /usr/local/bin/autopack-entrypoint
COPY crds/ /opt/autopack/crds/
COPY operator/ /opt/autopack/src/
# ssh asks who it is, and where it is at home.
RUN echo 'autopack:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd && echo 'autopack:x:65532:' >> /etc/group
# The file system is read-only at run time, and every pod pays for what is not compiled here.
RUN /opt/autopack/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/autopack/src \
    && /opt/autopack/bin/python -m autopack_runtime.sbom > /opt/autopack/sbom.cdx.json \
    && ln -s /opt/autopack/bin/autopack /opt/autopack/bin/autopack-runtime /opt/autopack/bin/autopack-operator \
         /opt/autopack/bin/autopack-dashboard /opt/autopack/bin/autopack-gateway \
         /opt/autopack/bin/kubectl_complete-autopack /usr/local/bin/ \
    # kubectl finds its plugins by such names.
    && ln -s /opt/autopack/bin/autopack /usr/local/bin/kubectl-autopack
ENV HOME=/tmp PYTHONUTF8=1 PYTHONUNBUFFERED=1
USER 65532:65532
WORKDIR /tmp
CMD ["autopack", "--help"]
