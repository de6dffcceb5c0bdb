namespace EdgeGateway.Simulator.Plant;

/// <summary>One tick of the physical model.</summary>
/// <param name="Second">Seconds since the Unix epoch.</param>
/// <param name="Elapsed">Seconds since the simulation began.</param>
/// <param name="HourOfDay">Local hour at the site, 0 to 24, with its fraction.</param>
internal readonly record struct Moment(long Second, long Elapsed, double HourOfDay);
