# Asterisk with the sample's configuration, for compose.yaml: queues, agents and callers
# that need no telephone. The context is the whole project:
#
#   docker build -f packaging/asterisk.Dockerfile -t ami-bridge-asterisk .

# Debian 12 and 13 have no Asterisk; sid has 22.
FROM debian:sid-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends asterisk asterisk-modules \
 && rm -rf /var/lib/apt/lists/*
# All but asterisk.conf: the package's own is right here.
COPY asterisk-sample/config/extensions.conf asterisk-sample/config/logger.conf \
     asterisk-sample/config/manager.conf asterisk-sample/config/modules.conf \
     asterisk-sample/config/musiconhold.conf asterisk-sample/config/queues.conf \
     /etc/asterisk/
# The AMI is for the network that compose makes: which of the private ones, it chooses.
# systemd would make the folder in /run.
RUN sed -i 's|^bindaddr = .*|bindaddr = 0.0.0.0|; s|^permit = .*|permit = 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16|' \
      /etc/asterisk/manager.conf \
 && install -d -o asterisk -g asterisk /run/asterisk
USER asterisk
CMD ["asterisk", "-f"]
