//! `ami-bridge demo`: the bridge and a simulated PBX in one process.
//!
//! `call_center` configures the PBX, with the queues, agents and callers in `roster`. `past` is the
//! work of the previous days. `texts` contains the bridge's configuration and the text that the demo
//! prints.

mod call_center;
mod past;
mod roster;
mod texts;

use std::net::{SocketAddr, TcpListener};

use crate::config::{self, Settings};
use crate::organizations::create_token;
use crate::simulator::Simulator;
use crate::storage::Storage;
use crate::wall_clock;

/// A running simulated PBX, and the settings for a bridge that uses it. Dropping the demo
/// stops the PBX.
#[derive(Debug)]
pub struct Demo {
    /// The bridge's settings.
    pub settings: Settings,
    /// The bridge's state, in memory. It has the day's work until the demo started.
    pub storage: Storage,
    /// The welcome text, which explains how to log in and suggests commands to try.
    pub welcome: String,
    _simulator: Simulator,
}

impl Demo {
    /// Starts the simulated PBX for a bridge that will listen on `listen`. The same `seed`
    /// produces the same calls.
    ///
    /// # Errors
    /// Returns an error if the bridge can't listen on the address, if there is no free port for the
    /// simulated PBX, or if the operating system can't provide random bytes or memory.
    pub async fn start(listen: SocketAddr, seed: u64) -> Result<Self, Box<dyn std::error::Error>> {
        let listen = choose_port(listen)?;
        let simulator = Simulator::start(call_center::config(seed)).await?;
        let storage = Storage::in_memory();
        let now = wall_clock::unix_millis().div_euclid(1000);
        for batch in past::past(texts::PBX, now, seed) {
            storage.write_report(batch).await?;
        }
        let wall_token = create_token()?;
        let configuration = texts::bridge_configuration(simulator.address(), listen, &wall_token);
        Ok(Self {
            settings: config::load_text("demo", &configuration)?,
            storage,
            welcome: texts::welcome(listen, seed, &wall_token),
            _simulator: simulator,
        })
    }
}

/// Binds the address briefly, so that an address in use is reported before anything else starts.
/// Replaces port 0 with a free port, because the welcome text must show the port.
fn choose_port(listen: SocketAddr) -> Result<SocketAddr, String> {
    let bound = TcpListener::bind(listen).and_then(|listener| listener.local_addr());
    bound.map_err(|error| {
        format!(
            "can't listen on {listen} ({error}); choose another port, such as \
             --listen 127.0.0.1:8090, or let the system choose one: --listen 127.0.0.1:0"
        )
    })
}
