namespace EdgeGateway.Exam;

/// <summary>Exit codes.</summary>
internal static class ExamExit
{
    /// <summary>Every message is settled, or a stop was asked for.</summary>
    public const int Done = 0;

    /// <summary>The store or a file cannot be used; standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>Arguments, options or messages are not usable.</summary>
    public const int Usage = 2;

    /// <summary>What is asked for is not supported.</summary>
    public const int NotSupported = 77;
}

/// <summary>The run cannot begin, with the sentence for the person who started it.</summary>
internal sealed class ExamException(int exitCode, string message) : Exception(message)
{
    public int ExitCode => exitCode;
}
