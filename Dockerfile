# The bridge as an image. UNTESTED: where this project is tested there is no Docker.
#
#   docker build -t ami-bridge .
#   docker run --rm -v /etc/ami-bridge:/etc/ami-bridge:ro --network host ami-bridge

# Both stages are Debian 12: the program needs the libc that it was linked with.
FROM rust:1-bookworm AS build
WORKDIR /build
COPY . .
RUN cargo build --release --locked --bin ami-bridge && strip target/release/ami-bridge

FROM debian:bookworm-slim
# For TLS towards a PBX whose certificate a public authority has signed.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /build/target/release/ami-bridge /usr/bin/ami-bridge
# A number, so that an orchestrator sees that it is not root. The configuration
# and the secret have to be readable for it.
USER 10001:10001
EXPOSE 8088
ENTRYPOINT ["/usr/bin/ami-bridge"]
CMD ["run", "--config", "/etc/ami-bridge/ami-bridge.toml"]
