//! The bare cost: a process that writes the same bytes to as many sockets, one `write` for each
//! socket and batch. It does nothing else.

use std::io::{BufRead, BufReader, Read, Write, stdin, stdout};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdin, Command, Stdio};

use socket2::{Domain, Socket, Type};

use crate::Result;
use crate::process::Server;

/// The response to each client.
pub(crate) const RESPONSE: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// Serves this number of streams. Prints its port, and then writes each batch from the standard
/// input to all streams. A batch is its length on a line, and its bytes.
pub(crate) fn serve(streams: usize) -> Result<()> {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    socket.listen(4096)?;
    let listener = TcpListener::from(socket);
    println!("{}", listener.local_addr()?.port());
    stdout().flush()?;
    let mut sockets = Vec::new();
    for _ in 0..streams {
        let (mut stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let _ = stream.read(&mut [0; 1024])?;
        stream.write_all(RESPONSE.as_bytes())?;
        sockets.push(stream);
    }
    let mut input = stdin().lock();
    loop {
        let mut length = String::new();
        if input.read_line(&mut length)? == 0 {
            return Ok(());
        }
        let mut batch = vec![0; length.trim().parse()?];
        input.read_exact(&mut batch)?;
        for socket in &mut sockets {
            socket.write_all(&batch)?;
        }
    }
}

/// A running server. It is killed on drop.
pub(crate) struct Bare {
    child: Child,
    input: ChildStdin,
    pub(crate) address: SocketAddr,
}

impl Bare {
    pub(crate) fn start(streams: usize) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["bare-server", &streams.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("piped")?;
        let output = child.stdout.take().ok_or("piped")?;
        let mut port = String::new();
        BufReader::new(output).read_line(&mut port)?;
        let address = ([127, 0, 0, 1], port.trim().parse()?).into();
        Ok(Self {
            child,
            input,
            address,
        })
    }

    pub(crate) fn server(&self) -> Server {
        Server(self.child.id())
    }

    pub(crate) fn write(&mut self, batch: &[u8]) -> Result<()> {
        writeln!(self.input, "{}", batch.len())?;
        self.input.write_all(batch)?;
        Ok(self.input.flush()?)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
