//! Files as distributions lay them out. They follow the asterisk package of Debian 12, and the
//! files in the public sources of FreePBX 16 and Issabel 5.

/// The files of a distribution.
pub(super) struct Layout {
    /// Files in Asterisk's configuration folder.
    pub(super) etc: Vec<(&'static str, String)>,
    /// Other files, relative to the folder that contains `etc`.
    pub(super) others: Vec<(&'static str, String)>,
}

impl Layout {
    /// Replaces a file of Asterisk's configuration, or adds it.
    pub(super) fn with(mut self, name: &'static str, text: &str) -> Self {
        self.etc.retain(|(existing, _)| *existing != name);
        self.etc.push((name, text.to_owned()));
        self
    }
}

fn owned(files: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    files
        .iter()
        .map(|(name, text)| (*name, (*text).to_owned()))
        .collect()
}

/// `manager.conf` includes `manager.d`. The queues have PJSIP phones as members.
pub(super) fn debian() -> Layout {
    let manager = "; By default asterisk will listen on localhost only.\n[general]\n\
                   enabled = yes\nport = 5038\nbindaddr = 127.0.0.1\n\n\
                   ; No access is allowed by default.\n#include \"manager.d/*.conf\" \n";
    let queues = "[general]\npersistentmembers = yes\n\n\
                  [6001]\nmember => PJSIP/1001,0,Dana\nmember => PJSIP/1002,0,Noa\n\n\
                  [6002]\nmember => PJSIP/1001,0,Dana\nmember => Local/1003@desks,0,Old phone\n\n\
                  [my queue]\n";
    Layout {
        etc: owned(&[("manager.conf", manager), ("queues.conf", queues)]),
        others: owned(&[(
            "etc/manager.d/README.conf",
            "; You can add manager users by dropping files with a .conf extension in\n\
             ; this directory.\n",
        )]),
    }
}

/// The member of a queue as FreePBX and Issabel write it.
const FREEPBX_QUEUES: &str = "[6001]\nstrategy=ringall\n\
    member=Local/1001@from-queue/n,0,Dana,hint:1001@ext-local\n\
    member=Local/1002@from-queue/n,0,Noa,hint:1002@ext-local\n\n\
    [6002]\nmember=Local/1001@from-queue/n,0,Dana,hint:1001@ext-local\n";

/// The contexts of the queue members and of their hints, and the hints of the lamps for pauses
/// and for logins.
const FREEPBX_EXTENSIONS: &str = "[from-queue]\nexten => _X.,1,Wait(60)\n\n\
    [ext-local]\nexten => 1001,hint,Custom:DND1001\nexten => 1002,hint,Custom:DND1002\n\n\
    [ext-queues]\n\
    exten => *46*1001*6001,hint,Queue:6001_pause_Local/1001@from-queue/n\n\
    exten => *451002*6002,hint,Custom:QUEUE1002*6002\n";

/// `manager.conf` includes a file for custom settings. `queues.conf` has a section for default
/// settings, and includes the file with the queues.
pub(super) fn freepbx() -> Layout {
    let manager = "; AMI - Asterisk Manager interface\n[general]\nenabled = yes\nport = 5038\n\
                   bindaddr = 0.0.0.0\ndisplayconnects=no\n\n[admin]\nsecret = amp111\n\
                   deny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.0\nread = system,call\n\
                   write = system,call\nwritetimeout = 5000\n\n\
                   #include manager_additional.conf\n#include manager_custom.conf\n";
    let queues = "[general]\n#include queues_general_additional.conf\n\n[default]\n;\n\
                  ; Default settings for queues (currently unused)\n;\n\n\
                  #include queues_additional.conf\n";
    Layout {
        etc: owned(&[
            ("manager.conf", manager),
            ("manager_additional.conf", ""),
            (
                "manager_custom.conf",
                "; My users\n[wallboard]\nsecret = wall\nread = call",
            ),
            ("queues.conf", queues),
            ("queues_general_additional.conf", "persistentmembers=yes\n"),
            ("queues_additional.conf", FREEPBX_QUEUES),
            ("extensions.conf", FREEPBX_EXTENSIONS),
        ]),
        others: owned(&[("freepbx.conf", "<?php\n"), ("amportal.conf", "")]),
    }
}

/// Like FreePBX, with Issabel's own marks and its further included files.
pub(super) fn issabel() -> Layout {
    let manager = ";\n; AMI - Asterisk Manager interface\n;\n[general]\nenabled = yes\n\
                   bindaddr = 0.0.0.0\nport = 5038\n#include manager_general_additional.conf\n\n\
                   [admin]\nsecret = AMPMGRPASS\ndeny=0.0.0.0/0.0.0.0\n\
                   permit=127.0.0.1/255.255.255.0\nread = system\nwrite = system\n\n\
                   #include manager_additional.conf\n#include manager_custom.conf\n";
    let queues = "[general]\n#include queues_general_additional.conf\n\
                  #include queues_custom_general.conf\n\n[default]\n\n\
                  #include queues_custom.conf\n#include queues_additional.conf\n\
                  #include queues_post_custom.conf\n";
    let mut layout = freepbx()
        .with("manager.conf", manager)
        .with("manager_general_additional.conf", "")
        .with(
            "manager_custom.conf",
            "[phpagi]\nsecret = phpagi\nread = system\n\n",
        )
        .with("queues.conf", queues)
        .with("queues_custom_general.conf", "")
        .with("queues_custom.conf", "")
        .with("queues_post_custom.conf", "");
    layout.others = owned(&[("issabel.conf", ""), ("amportal.conf", "")]);
    layout
}
