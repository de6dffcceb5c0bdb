using System.Globalization;

namespace EdgeGateway.TrialTools;

/// <summary>One thing that is tried in the virtual machine, and the line of facts that it prints: its name, then <c>key=value</c>, divided by tabs. The tests judge them.</summary>
internal static class Trial
{
    /// <summary>Tries something and prints what it found, or <c>error</c>, and the seconds that it took.</summary>
    public static async Task TryAsync(string name, Func<Task<string>> trial)
    {
        var began = TimeProvider.System.GetTimestamp();
        string facts;
        try
        {
            facts = await trial();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            facts = Facts(("error", e));
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}{facts}\tseconds={TimeProvider.System.GetElapsedTime(began).TotalSeconds:F1}"));
    }

    /// <inheritdoc cref="TryAsync(string, Func{Task{string}})"/>
    public static Task TryAsync(string name, Func<string> trial) => TryAsync(name, () => Task.FromResult(trial()));

    /// <summary>Facts as they are printed, on one line.</summary>
    public static string Facts(params (string Key, object? Value)[] facts) =>
        string.Concat(facts.Select(fact => $"\t{fact.Key}={Convert.ToString(fact.Value, CultureInfo.InvariantCulture)?.ReplaceLineEndings(" ").Replace('\t', ' ')}"));

    /// <summary>What something that must be refused was told.</summary>
    /// <returns>The refusal in the words of <paramref name="say"/>; <c>none</c> when it was not refused.</returns>
    public static string Refusal<TRefusal>(Action act, Func<TRefusal, string> say)
        where TRefusal : Exception
    {
        try
        {
            act();
            return "none";
        }
        catch (TRefusal refused)
        {
            return say(refused);
        }
    }
}
