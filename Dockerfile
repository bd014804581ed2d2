# An image with the program, libc and CA certificates, but no shell. docs/INSTALL.md
# describes how to run it.
#
#   docker build -t ami-bridge .
#
# Tested with buildah and podman, on locally built base images with the same content. Not
# tested with Docker yet.

# Both stages use Debian 12: the program needs the libc that it is linked with. Needs Rust
# 1.89 or later.
FROM rust:1-bookworm AS build
WORKDIR /build
COPY . .
# The cache mounts keep downloaded and built dependencies for the next build. Cargo compares
# modification times, and a checkout may be older than the cached build: hence the touch.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    touch src/lib.rs src/main.rs \
 && cargo build --profile dist --locked --bin ami-bridge \
 && strip -o /ami-bridge target/dist/ami-bridge \
 && mkdir /state

FROM gcr.io/distroless/cc-debian12
COPY --from=build /ami-bridge /usr/bin/ami-bridge
# A new volume gets the owner of this folder.
COPY --from=build --chown=65532:65532 /state /var/lib/ami-bridge
# The folder of container secrets. secret_file = "pbx-main.secret" names a file in it, as
# with the credentials of systemd.
ENV CREDENTIALS_DIRECTORY=/run/secrets
# Overrides log.format of the configuration: a container has no systemd journal.
ENV AMI_BRIDGE__LOG__FORMAT=auto
# The ends of pauses. Mount a named volume here, or a new container forgets them.
ENV AMI_BRIDGE__STATE__DIRECTORY=/var/lib/ami-bridge
VOLUME /var/lib/ami-bridge
# The user nonroot of the base image, as a number, so that orchestrators can verify that it
# is not root. This user must be able to read the configuration and the secrets.
USER 65532:65532
EXPOSE 8088
# An image can't raise the limit of file descriptors. Below about 4,200, the bridge lowers
# http.max_connections: start it with docker run --ulimit nofile=65536
# No HEALTHCHECK: the image has no program for it. Let the orchestrator request /healthz,
# with AMI_BRIDGE__ADMIN__LISTEN=0.0.0.0:9088.
ENTRYPOINT ["/usr/bin/ami-bridge"]
CMD ["run", "--config", "/etc/ami-bridge/ami-bridge.toml"]
