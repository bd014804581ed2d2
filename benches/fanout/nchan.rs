//! nginx with nchan, which passes ready messages on to its subscribers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::process::Server;

const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

pub(crate) fn is_installed() -> bool {
    std::path::Path::new(MODULE).exists()
}

/// A running nginx. It is killed on drop.
pub(crate) struct Nchan {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Nchan {
    pub(crate) fn start() -> Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let folder = tempfile::tempdir()?;
        let path = folder.path().display();
        let configuration = format!(
            "load_module {MODULE};
daemon off;
user root;
worker_processes auto;
worker_rlimit_nofile 20000;
pid {path}/pid;
error_log {path}/error.log crit;
events {{ worker_connections 15000; }}
http {{
  access_log off;
  client_body_temp_path {path}/body;
  proxy_temp_path {path}/proxy;
  fastcgi_temp_path {path}/fastcgi;
  uwsgi_temp_path {path}/uwsgi;
  scgi_temp_path {path}/scgi;
  server {{
    listen {address} backlog=4096;
    keepalive_requests 1000000;
    location = /publish {{ nchan_publisher; nchan_channel_id events; }}
    location = /events {{
      nchan_subscriber eventsource;
      nchan_channel_id events;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "nginx", "-c"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let nchan = Self {
            child,
            address,
            _folder: folder,
        };
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            if begin.elapsed() > Duration::from_secs(10) {
                return Err("nginx did not start".into());
            }
            sleep(Duration::from_millis(10));
        }
        Ok(nchan)
    }

    pub(crate) fn server(&self) -> Server {
        Server(self.child.id())
    }

    pub(crate) fn publisher(&self) -> Result<Publisher> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Publisher(stream))
    }
}

impl Drop for Nchan {
    fn drop(&mut self) {
        // The master process ends its workers after SIGTERM, but not after SIGKILL.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.child.wait();
    }
}

/// A connection that publishes messages.
pub(crate) struct Publisher(TcpStream);

impl Publisher {
    pub(crate) fn publish(&mut self, message: &str) -> Result<()> {
        let length = message.len();
        write!(
            self.0,
            "POST /publish HTTP/1.1\r\nHost: bench\r\nContent-Length: {length}\r\n\r\n{message}"
        )?;
        let mut response = Vec::new();
        while memchr::memmem::find(&response, b"\r\n\r\n").is_none() {
            let mut chunk = [0; 4096];
            let count = self.0.read(&mut chunk)?;
            if count == 0 {
                return Err("nginx closed the publisher's connection".into());
            }
            response.extend_from_slice(&chunk[..count]);
        }
        if response.starts_with(b"HTTP/1.1 20") {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&response).into())
        }
    }
}
