# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ami_bridge_global_optspecs
    string join \n config= h/help V/version
end

function __fish_ami_bridge_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ami_bridge_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ami_bridge_using_subcommand
    set -l cmd (__fish_ami_bridge_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -s V -l version -d 'Print version'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "run" -d 'Run the daemon (the default)'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "check" -d 'Check the configuration, and connect to each PBX as the daemon does'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "setup" -d 'Make a working configuration from the PBX\'s queues, asking only what it can\'t find out'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "create-token" -d 'Make a token for a program, and print it with the lines for the configuration'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "hash-password" -d 'Read a password and print its password_hash'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "demo" -d 'Run with a simulated PBX, without installation or configuration'
complete -c ami-bridge -n "__fish_ami_bridge_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand run" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand run" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand check" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand check" -l json -d 'Print the report as JSON'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand check" -l probe -d 'Set one member\'s penalty to its current value, to see whether Asterisk sends the event'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand check" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l pbx -d 'Address and port of the PBX\'s AMI [default: what manager.conf says, else 127.0.0.1:5038]' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l asterisk-etc -d 'Asterisk\'s configuration folder' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l ami-username -d 'Name of the AMI user, which is created if it does not exist [default: queuebridge]' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l ami-secret-file -d 'File with the secret of an AMI user that exists. Nothing is written on the Asterisk side' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l organization -d 'Name of the organization. Of several, separated by commas, each has the queues whose names begin with its name' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l queues -d 'The organization\'s queue numbers, such as 6001,60*' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l agents -d 'The agents\' phone numbers, such as 1001-1099,2*' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l queue-name -d 'Template of the queues\' names on the PBX, such as acme-{queue}' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l interface -d 'Template of the interface that Asterisk dials, such as PJSIP/{agent}' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l state-interface -d 'Template of the device whose state Asterisk watches, such as hint:{agent}@ext-local' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l username -d 'Name that the user logs in with [default: the organization\'s name]' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l password-file -d 'File with the user\'s password [default: setup makes a password and shows it once]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l listen -d 'Address and port of the API; port 0 stands for a free one [default: 127.0.0.1:8088, or the next free port]' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l directory -d 'Folder for the configuration' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l print-ami-user -d 'Print the lines for the AMI user, and write nothing on the Asterisk side. If the output is no terminal, the lines go to a file that only this user can read'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l shared -d 'Let organizations that have agents or queues in common both act on them'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l start -d 'Enable and start the systemd unit'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l yes -d 'Ask nothing. What is still unknown is an error that names the flag'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -l dry-run -d 'Print the files, and write nothing'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand setup" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand create-token" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand create-token" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand hash-password" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand hash-password" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l listen -d 'Address and port to listen on; port 0 lets the system choose' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l seed -d 'Seed for the random behavior of the simulated callers and agents' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "run" -d 'Run the daemon (the default)'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "check" -d 'Check the configuration, and connect to each PBX as the daemon does'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "setup" -d 'Make a working configuration from the PBX\'s queues, asking only what it can\'t find out'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "create-token" -d 'Make a token for a program, and print it with the lines for the configuration'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "hash-password" -d 'Read a password and print its password_hash'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "demo" -d 'Run with a simulated PBX, without installation or configuration'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check setup create-token hash-password demo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
