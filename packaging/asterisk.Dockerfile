# Asterisk with the sample configuration, for compose.yaml. Its queues, agents and callers
# need no telephone. The build context is the repository:
#
#   docker build -f packaging/asterisk.Dockerfile -t ami-bridge-asterisk .

# Debian 12 and 13 have no Asterisk package; sid has Asterisk 22.
FROM debian:sid-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends asterisk asterisk-modules \
 && rm -rf /var/lib/apt/lists/*
# All files except asterisk.conf, because the package's asterisk.conf is right for this
# image.
COPY asterisk-sample/config/extensions.conf asterisk-sample/config/logger.conf \
     asterisk-sample/config/manager.conf asterisk-sample/config/modules.conf \
     asterisk-sample/config/musiconhold.conf asterisk-sample/config/queues.conf \
     /etc/asterisk/
# Compose picks the network's addresses from any private range, so clients in all
# private ranges may log in to AMI. The image has no systemd to create /run/asterisk.
RUN sed -i 's|^bindaddr = .*|bindaddr = 0.0.0.0|; s|^permit = .*|permit = 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16|' \
      /etc/asterisk/manager.conf \
 && install -d -o asterisk -g asterisk /run/asterisk
USER asterisk
CMD ["asterisk", "-f"]
