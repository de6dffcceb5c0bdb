namespace EdgeGateway.Commands;

/// <summary>Quantities as people read them.</summary>
internal static class Words
{
    /// <summary>A time span in its two largest units: <c>3 d 4 h</c>, <c>12 min 5 s</c>.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { TotalDays: >= 1 } => $"{(int)span.TotalDays} d {span.Hours} h",
        { TotalHours: >= 1 } => $"{(int)span.TotalHours} h {span.Minutes} min",
        { TotalMinutes: >= 1 } => $"{(int)span.TotalMinutes} min {span.Seconds} s",
        _ => $"{Math.Max(0, (int)span.TotalSeconds)} s",
    };

    /// <summary>Bytes in binary units: <c>1.5 MiB</c>.</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (double)(1L << 30):F1} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):F1} MiB",
        >= 1L << 10 => $"{bytes / (double)(1L << 10):F1} KiB",
        _ => $"{bytes} B",
    };

    /// <summary>A value with as many digits as a technician reads.</summary>
    public static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        >= 100_000 => value.ToString("F0"),
        >= 1_000 => value.ToString("F1"),
        >= 10 => value.ToString("F2"),
        >= 0.001 => value.ToString("F4"),
        _ => value.ToString("G4"),
    };
}
