namespace EdgeGateway.Bench;

/// <summary>The programs of <c>bench/peers</c>, which lie beside the benchmarks.</summary>
internal static class PeerProgram
{
    /// <summary>A file among them.</summary>
    public static string PathOf(string name) => Path.Combine(AppContext.BaseDirectory, "peers", name);

    /// <summary>Compiles one that is written in C, and returns the program.</summary>
    /// <param name="name">Its source without <c>.c</c>.</param>
    /// <param name="libraries">What it is linked with, such as <c>-lmodbus</c>.</param>
    /// <exception cref="InvalidOperationException">The compiler refused, as it does when a library is not installed.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no compiler.</exception>
    public static async Task<string> CompileAsync(string name, params string[] libraries)
    {
        var program = PathOf(name);
        await using var compiler = ChildProcess.Start(null, "cc", ["-O2", "-o", program, program + ".c", .. libraries]);
        await compiler.EndAsync().ConfigureAwait(false);
        return program;
    }
}
