namespace EdgeGateway.Commands.Demo;

/// <summary>How to start the program that runs now once more.</summary>
internal static class OwnProgram
{
    /// <param name="arguments">What the new process shall do.</param>
    /// <returns>The file to start, and its arguments: with the name of our own file before them where that is started by <c>dotnet</c>.</returns>
    /// <exception cref="DemoException">The system does not tell where the program is.</exception>
    public static (string Program, IReadOnlyList<string> Arguments) Call(params string[] arguments)
    {
        var program = Environment.ProcessPath ?? throw new DemoException("The path of this program is not known.");
        return Path.GetFileNameWithoutExtension(program) == "dotnet"
            ? (program, [Path.GetFullPath(Environment.GetCommandLineArgs()[0]), .. arguments])
            : (program, arguments);
    }
}
