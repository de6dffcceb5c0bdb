namespace EdgeGateway.Core.Validation;

/// <summary>A change of a counter's level that was believed: the meter was set to zero, exchanged, or jumped. What it counted in between is known to nobody but who read the meters.</summary>
/// <param name="OldReading">Last reading of the old level, in the point's unit.</param>
/// <param name="OldTime">When, Unix milliseconds.</param>
/// <param name="NewReading">First reading of the new level.</param>
/// <param name="NewTime">When.</param>
internal readonly record struct CounterExchange(decimal OldReading, long OldTime, decimal NewReading, long NewTime);

/// <summary>A change of meters that waits for its readings, for people.</summary>
/// <param name="Device">Id of the device.</param>
/// <param name="Point">Id of its counter.</param>
/// <param name="Unit">UCUM code of its unit.</param>
/// <param name="OldReading">Last reading of the old level.</param>
/// <param name="OldTime">When.</param>
/// <param name="NewReading">First reading of the new level.</param>
/// <param name="NewTime">When.</param>
public sealed record PendingExchange(string Device, string Point, string Unit, decimal OldReading, Instant OldTime, decimal NewReading, Instant NewTime);
