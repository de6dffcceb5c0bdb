namespace EdgeGateway.Hosting;

/// <summary>The marks at 70, 85 and 95 % of the store in use, with hysteresis: a mark is left only five points below it (requirement E-5).</summary>
internal static class Watermarks
{
    private const double Hysteresis = 0.05;

    private static readonly int[] Marks = [70, 85, 95];

    /// <summary>The highest mark in force.</summary>
    /// <param name="inUse">Share in use, 0 to 1.</param>
    /// <param name="before">The mark that was in force, in percent; 0 for none.</param>
    /// <returns>In percent; 0 for none.</returns>
    public static int Next(double inUse, int before)
    {
        var next = 0;
        foreach (var mark in Marks)
        {
            if (inUse >= (mark / 100.0) - (mark <= before ? Hysteresis : 0))
            {
                next = mark;
            }
        }

        return next;
    }
}
