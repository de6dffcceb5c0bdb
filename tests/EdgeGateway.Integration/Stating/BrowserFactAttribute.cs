namespace EdgeGateway.Integration.Stating;

/// <summary>A fact that needs Chromium; skipped only where there is none, with the reason.</summary>
internal sealed class BrowserFactAttribute : FactAttribute
{
    private static readonly string[] Names = ["chromium-headless-shell", "chromium", "chromium-shell"];

    public BrowserFactAttribute() => Skip = Program.Value is null ? "Needs Chromium: as root, apt-get install chromium-headless-shell fonts-wqy-microhei (100 MB)." : null;

    /// <summary>The browser, or null.</summary>
    public static Lazy<string?> Program { get; } = new(() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).SelectMany(d => Names.Select(n => Path.Combine(d, n))).FirstOrDefault(File.Exists));
}
