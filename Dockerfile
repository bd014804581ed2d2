# The bridge as an image: the program, libc and certificates; no shell. How to run it
# stands in docs/INSTALL.md.
#
#   docker build -t ami-bridge .
#
# Tried with buildah and podman, on base images made to have the same content; not yet
# with Docker.

# Both stages are Debian 12: the program needs the libc that it was linked with.
# Rust 1.88 or later.
FROM rust:1-bookworm AS build
WORKDIR /build
COPY . .
# What is downloaded and built of the dependencies stays for the next build. The touch,
# since cargo goes by times, and a checkout may be older than what is kept.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    touch src/lib.rs src/main.rs \
 && cargo build --release --locked --bin ami-bridge \
 && strip -o /ami-bridge target/release/ami-bridge

FROM gcr.io/distroless/cc-debian12
COPY --from=build /ami-bridge /usr/bin/ami-bridge
# Where containers get their secrets: secret_file = "pbx-main.secret" is found there, as
# systemd's credential is.
ENV CREDENTIALS_DIRECTORY=/run/secrets
# Whatever the file says: there is no journal in here.
ENV AMI_BRIDGE__LOG__FORMAT=auto
# The base's nonroot; a number, so that an orchestrator sees that it is not root. The
# configuration and the secrets have to be readable for it.
USER 65532:65532
EXPOSE 8088
# An image can't raise the limit of file descriptors. With less than 4,200 the program
# lowers http.max_connections: docker run --ulimit nofile=8192
# No HEALTHCHECK: there is nothing here to run one with. Let the orchestrator ask
# /healthz, with AMI_BRIDGE__ADMIN__LISTEN=0.0.0.0:9088.
ENTRYPOINT ["/usr/bin/ami-bridge"]
CMD ["run", "--config", "/etc/ami-bridge/ami-bridge.toml"]
