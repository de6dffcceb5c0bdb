using System.Text;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Rules for topic names and filters. MQTT 5.0, 4.7.</summary>
public static class MqttTopic
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Throws unless <paramref name="name"/> can be published to.</summary>
    /// <exception cref="ArgumentException">The name is empty, too long, holds a wildcard, U+0000 or half a surrogate pair.</exception>
    public static void ValidateName(string name)
    {
        ValidateText(name);
        if (name.AsSpan().ContainsAny('#', '+'))
        {
            throw new ArgumentException($"topic name '{name}' holds a wildcard (# or +)", nameof(name));
        }
    }

    /// <summary>Throws unless <paramref name="filter"/> can be subscribed to.</summary>
    /// <exception cref="ArgumentException">
    /// The filter is empty, too long, or a wildcard is not a whole level; # may only be the last; $share/ wants a name and a filter.
    /// </exception>
    public static void ValidateFilter(string filter)
    {
        ValidateText(filter);
        if (filter.StartsWith("$share/", StringComparison.Ordinal) && filter.AsSpan(7) is var shared)
        {
            // MQTT 5.0, 4.8.2: $share/name/filter.
            var end = shared.IndexOf('/');
            if (end < 1 || end == shared.Length - 1 || shared[..end].ContainsAny('#', '+'))
            {
                throw new ArgumentException($"shared subscription '{filter}' is not $share/name/filter with a name without wildcards", nameof(filter));
            }
        }

        for (var i = 0; i < filter.Length; i++)
        {
            if (filter[i] is not ('#' or '+'))
            {
                continue;
            }

            var startsLevel = i == 0 || filter[i - 1] == '/';
            var endsLevel = i == filter.Length - 1 || (filter[i] == '+' && filter[i + 1] == '/');
            if (!startsLevel || !endsLevel)
            {
                throw new ArgumentException($"topic filter '{filter}' has a wildcard that is not a whole level, or # before the end", nameof(filter));
            }
        }
    }

    /// <summary>Throws unless the text can be an MQTT string. MQTT 5.0, 1.5.4.</summary>
    /// <exception cref="ArgumentException">It is longer than 65,535 bytes, holds U+0000 or half a surrogate pair.</exception>
    internal static void ValidateString(string? text, string what)
    {
        if (text is not null && (text.Contains('\0') || StrictUtf8.GetByteCount(text) > ushort.MaxValue))
        {
            throw new ArgumentException($"{what} holds U+0000 or is longer than 65,535 bytes", what);
        }
    }

    private static void ValidateText(string text)
    {
        ArgumentException.ThrowIfNullOrEmpty(text);
        ValidateString(text, "topic");
    }
}
