namespace EdgeGateway.Integration.Gateway;

/// <summary>Waits for conditions. The limits only end tests that would never end: no test passes or fails by speed.</summary>
internal static class Until
{
    /// <summary>Longest wait for anything that must happen.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Waits until <paramref name="condition"/> holds.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What is waited for, for the message of a failure.</param>
    /// <param name="state">What is the matter instead, for the message of a failure.</param>
    public static Task HoldsAsync(Func<bool> condition, string what, Func<string>? state = null) =>
        HoldsAsync(() => Task.FromResult(condition()), what, state);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, Func{string}?)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, Func<string>? state = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Limit, $"waited in vain until {what}\n{state?.Invoke()}");
            await Task.Delay(Pause, TimeProvider.System);
        }
    }
}
