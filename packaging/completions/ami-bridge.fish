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
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand create-token" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand create-token" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand hash-password" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand hash-password" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l listen -d 'Address and port to listen on; port 0 lets the system choose' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l seed -d 'Seed for the random behavior of the simulated callers and agents' -r
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -l config -d 'Configuration file [environment: AMI_BRIDGE_CONFIG; default: ./ami-bridge.toml, then /etc/ami-bridge/ami-bridge.toml]' -r -F
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand demo" -s h -l help -d 'Print help'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "run" -d 'Run the daemon (the default)'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "check" -d 'Check the configuration, and connect to each PBX as the daemon does'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "create-token" -d 'Make a token for a program, and print it with the lines for the configuration'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "hash-password" -d 'Read a password and print its password_hash'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "demo" -d 'Run with a simulated PBX, without installation or configuration'
complete -c ami-bridge -n "__fish_ami_bridge_using_subcommand help; and not __fish_seen_subcommand_from run check create-token hash-password demo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
