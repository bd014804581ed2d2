# Asterisk with the sample configuration, for compose.yaml. Its queues, agents and callers
# need no telephone. The build context is the repository:
#
#   docker build -f packaging/asterisk.Dockerfile -t ami-bridge-asterisk .

# Debian 12 and 13 have no Asterisk package; sid has Asterisk 22.
FROM debian:sid-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends asterisk asterisk-modules \
 && rm -rf /var/lib/apt/lists/*
# Everything except asterisk.conf: the one in the package is right for this image.
COPY asterisk-sample/config/extensions.conf asterisk-sample/config/logger.conf \
     asterisk-sample/config/manager.conf asterisk-sample/config/modules.conf \
     asterisk-sample/config/musiconhold.conf asterisk-sample/config/queues.conf \
     /etc/asterisk/
# Compose creates a network with addresses from any of the private ranges: allow all of
# them to log in to AMI. Without systemd, nothing else creates the folder in /run.
RUN sed -i 's|^bindaddr = .*|bindaddr = 0.0.0.0|; s|^permit = .*|permit = 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16|' \
      /etc/asterisk/manager.conf \
 && install -d -o asterisk -g asterisk /run/asterisk
USER asterisk
CMD ["asterisk", "-f"]
