using System.Runtime.InteropServices;
using EdgeGateway.Core;
using Spectre.Console;

namespace EdgeGateway.Commands;

/// <summary>How commands speak: results on standard output, problems on standard error, exit codes by kind.</summary>
internal static class Terminal
{
    /// <summary>All is well.</summary>
    public const int Success = 0;

    /// <summary>The command could not do its work: nothing answers, nothing runs.</summary>
    public const int Failure = 1;

    /// <summary>The configuration or the command line is wrong; nothing was touched.</summary>
    public const int BadInput = 2;

    /// <summary>Output to a file or a pipe carries no colours and is wide enough for every table.</summary>
    public static void Prepare()
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Capabilities.Ansi = false;
            AnsiConsole.Profile.Capabilities.ColorSystem = ColorSystem.NoColors;
            AnsiConsole.Profile.Width = 160;
        }
    }

    /// <summary>Prints problems, worst last so that it stays on the screen, and a count.</summary>
    public static void Print(IReadOnlyList<Problem> problems, TextWriter output)
    {
        foreach (var problem in problems.OrderByDescending(p => p.Severity == ProblemSeverity.Warning))
        {
            output.WriteLine(problem);
        }
    }

    /// <summary>
    /// Lets Ctrl+C cancel from this moment on. The parser of the command line listens for it only when a command first has to wait, which can be after
    /// its first line of output; until then Ctrl+C would kill it.
    /// </summary>
    /// <param name="interrupted">Cancelled by the first Ctrl+C; never disposed, since a signal may still be on its way when the command ends.</param>
    /// <returns>Ends it.</returns>
    public static IDisposable OnInterrupt(CancellationTokenSource interrupted) => PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
    {
        signal.Cancel = true;
        interrupted.Cancel();
    });

    public static int Fail(string message, int code = Failure)
    {
        Console.Error.WriteLine(message);
        return code;
    }
}
