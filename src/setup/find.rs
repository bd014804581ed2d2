//! Finds the PBX: the address of its AMI, its configuration files and its distribution.

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::error::SetupError;
use super::manager_conf::ManagerConf;
use super::questions::say;
use super::shell;
use crate::ami::Address;
use crate::cli::SetupArguments;
use crate::distribution::{ASTERISK_FOLDER, Distribution, has_files_of};
use crate::terminal::wrapped;

/// The AMI's usual port.
const DEFAULT_PORT: u16 = 5038;

/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The PBX.
#[derive(Debug)]
pub(super) struct FoundPbx {
    /// The address of its AMI.
    pub(super) address: Address,
    /// Asterisk's configuration folder.
    pub(super) folder: PathBuf,
    /// The distribution.
    pub(super) distribution: Distribution,
    /// `manager.conf`; `None` if it can't be read.
    pub(super) conf: Option<ManagerConf>,
}

/// Finds the PBX that the arguments name, or else the one on this machine.
///
/// # Errors
/// Returns a mistake if `--pbx` is not an address.
pub(super) fn find(arguments: &SetupArguments) -> Result<FoundPbx, SetupError> {
    let folder = arguments.asterisk_etc.clone();
    let named = arguments.pbx.as_deref().map(Address::parse).transpose();
    let named = named.map_err(|error| SetupError::Mistake(format!("--pbx: {error}")))?;
    // The files of this machine's Asterisk say nothing about another machine.
    let has_files = named
        .as_ref()
        .is_none_or(|address| has_files_of(&folder, address));
    let conf = if has_files { read_conf(&folder) } else { None };
    let address = match named {
        Some(address) => address,
        None => {
            let host = conf
                .as_ref()
                .map_or("127.0.0.1".to_owned(), ManagerConf::host);
            let port = conf.as_ref().and_then(|conf| conf.port);
            let address = format!("{host}:{}", port.unwrap_or(DEFAULT_PORT));
            let error = |error| SetupError::Mistake(format!("bindaddr {address}: {error}"));
            Address::parse(&address).map_err(error)?
        }
    };
    let distribution = match has_files {
        true => Distribution::of(&folder),
        false => Distribution::Unknown,
    };
    let pbx = FoundPbx {
        address,
        folder,
        distribution,
        conf,
    };
    say(&pbx.description());
    Ok(pbx)
}

fn read_conf(folder: &Path) -> Option<ManagerConf> {
    let error = match ManagerConf::read(folder) {
        Ok(conf) => return Some(conf),
        Err(error) => error,
    };
    let path = folder.join("manager.conf");
    let path = path.display();
    say(&wrapped(
        &match error.kind() {
            ErrorKind::NotFound => format!(
                "{path} does not exist. If Asterisk runs in a container or on another machine, \
                 give its address with --pbx, or its configuration folder with --asterisk-etc."
            ),
            ErrorKind::PermissionDenied => {
                format!("This user may not read {path}, so setup prints the lines to add there.")
            }
            _ => format!("{path} can't be read: {error}"),
        },
        "",
    ));
    None
}

impl FoundPbx {
    fn description(&self) -> String {
        let distribution = self.distribution.name();
        let address = &self.address;
        let source = match &self.conf {
            Some(conf) => format!(", according to {}", conf.path.display()),
            None => String::new(),
        };
        wrapped(
            &format!("PBX ({distribution}): AMI at {address}{source}."),
            "",
        )
    }

    /// Returns whether `manager.conf` turns the AMI off.
    pub(super) fn is_ami_off(&self) -> bool {
        self.conf.as_ref().is_some_and(|conf| !conf.is_enabled)
    }

    /// Tries to connect to the AMI.
    ///
    /// # Errors
    /// Returns a message for the operator if nothing accepts the connection.
    pub(super) fn connect(&self) -> Result<(), SetupError> {
        let address = &self.address;
        let addresses = address.as_str().to_socket_addrs();
        let addresses = addresses.map_err(|error| {
            SetupError::Missing(format!("the host of {address} is not known: {error}"))
        })?;
        let mut reason = String::from("it has no address");
        for socket_address in addresses {
            match TcpStream::connect_timeout(&socket_address, CONNECT_TIMEOUT) {
                Ok(_) => return Ok(()),
                Err(error) => reason = error.to_string(),
            }
        }
        Err(SetupError::Missing(format!(
            "Asterisk does not answer at {address}: {reason}. Is it running (`systemctl status \
             asterisk`), with its AMI on (`asterisk -rx \"manager show settings\"`)? Another \
             address: --pbx"
        )))
    }

    /// Makes Asterisk read `manager.conf` again.
    ///
    /// # Errors
    /// Returns a message for the operator if Asterisk does not do that.
    pub(super) fn reload(&self) -> Result<(), String> {
        let words = self.reload_words();
        let output = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("the program asterisk: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let text = [output.stdout, output.stderr].concat();
        Err(String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// Returns the command that makes Asterisk read `manager.conf` again.
    pub(super) fn reload_command(&self) -> String {
        shell::command(&self.reload_words())
    }

    fn reload_words(&self) -> Vec<String> {
        let mut words = vec!["asterisk".to_owned()];
        let file = self.folder.join("asterisk.conf");
        // The folder of another machine is unknown.
        let is_missing = matches!(file.try_exists(), Ok(false));
        if self.folder != Path::new(ASTERISK_FOLDER) && !is_missing {
            words.extend(["-C".to_owned(), file.display().to_string()]);
        }
        words.extend(["-rx".to_owned(), "manager reload".to_owned()]);
        words
    }
}
