namespace EdgeGateway.Core.Configuration;

/// <summary>Guesses what a person meant to write.</summary>
public static class Spelling
{
    /// <summary>The known word nearest to what was written, or null when none is near.</summary>
    public static string? Nearest(string written, IEnumerable<string> known)
    {
        var (best, bestDistance) = ((string?)null, int.MaxValue);
        foreach (var word in known)
        {
            var distance = Distance(written.ToLowerInvariant(), word.ToLowerInvariant());
            if (distance < bestDistance)
            {
                (best, bestDistance) = (word, distance);
            }
        }

        return bestDistance <= Math.Max(1, Math.Max(written.Length, best?.Length ?? 0) / 3) ? best : null;
    }

    /// <summary><c>did you mean 'x'? </c>, or nothing.</summary>
    public static string Hint(string written, IEnumerable<string> known) =>
        Nearest(written, known) is { } word ? $"Did you mean '{word}'? " : "";

    // Optimal string alignment: insertions, deletions, substitutions and swapped neighbours cost 1.
    private static int Distance(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }

                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                table[i, j] = Math.Min(Math.Min(table[i - 1, j] + 1, table[i, j - 1] + 1), table[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
                }
            }
        }

        return table[a.Length, b.Length];
    }
}
