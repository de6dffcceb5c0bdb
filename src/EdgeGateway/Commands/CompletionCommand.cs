using System.CommandLine;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway completion SHELL</c>: the script by which a shell completes commands, options and profile ids.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # edgegateway completion bash > /etc/bash_completion.d/edgegateway
        _edgegateway() {
            local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
            COMPREPLY=( $(compgen -W "$(edgegateway "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$word") )
        }
        complete -o bashdefault -o default -F _edgegateway edgegateway
        """;

    private const string Zsh = """
        #compdef edgegateway
        # edgegateway completion zsh > "${fpath[1]}/_edgegateway"
        _edgegateway() {
            local -a found
            found=(${(f)"$(edgegateway "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)"})
            (( ${#found} )) && compadd -a found || _files
        }
        compdef _edgegateway edgegateway
        """;

    private const string Fish = """
        # edgegateway completion fish > ~/.config/fish/completions/edgegateway.fish
        complete -c edgegateway -a '(edgegateway "[suggest:"(commandline -C)"]" (commandline -p) 2>/dev/null)'
        """;

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion", "Print the script by which a shell completes commands, options and ids of profiles; its first lines say where to put it.") { shell };
        command.SetAction(result =>
        {
            Console.WriteLine(result.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return Terminal.Success;
        });
        return command;
    }
}
