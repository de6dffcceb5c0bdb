namespace EdgeGateway.Simulator;

/// <summary>What the simulator itself knows of one counter: exact, whatever was read, lost, reset or swapped.</summary>
/// <param name="Point">Index of the point in the site's points.</param>
/// <param name="Name"><c>device.point</c>.</param>
/// <param name="Grown">Growth since the simulation began, in the point's unit, exact; resets, swaps and roll-overs do not touch it.</param>
/// <param name="Reading">What the counter holds before it is cut to the register's resolution and rolled over, in the point's unit.</param>
/// <param name="Shown">What the register shows: <paramref name="Reading"/> cut to the resolution and rolled over.</param>
/// <param name="Raw">The register image, right-aligned.</param>
public readonly record struct LedgerEntry(int Point, string Name, decimal Grown, decimal Reading, decimal Shown, ulong Raw);
