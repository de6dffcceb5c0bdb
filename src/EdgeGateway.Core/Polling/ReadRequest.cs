using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>One read request on the wire.</summary>
/// <param name="Table">Table to read.</param>
/// <param name="Address">Zero-based first address.</param>
/// <param name="Quantity">Number of registers (at most 125) or bits (at most 2000).</param>
public readonly record struct ReadRequest(RegisterTable Table, ushort Address, ushort Quantity)
{
    /// <summary>The SunSpec model from whose first register <see cref="Address"/> counts; 0 when it is the address on the wire.</summary>
    public ushort SunSpecModel { get; init; }

    /// <summary>Most registers that the device answers at once, for the requests that bring this one from a SunSpec model; 0 for as many as the protocol allows.</summary>
    public ushort MostRegisters { get; init; }

    /// <summary>The request as the device's profile means its addresses.</summary>
    /// <param name="profile">The profile.</param>
    /// <param name="most">Most registers at once, as far as the device's replies have taught it; what the profile says holds besides.</param>
    public ReadRequest Of(DeviceProfile profile, int most = int.MaxValue) => profile.SunSpec is { } model
        ? this with { SunSpecModel = model.Number, MostRegisters = (ushort)Math.Min(most, profile.MaxRegistersPerRead) }
        : this;
}

/// <summary>A read request with the points whose values it brings.</summary>
/// <param name="Request">What goes on the wire.</param>
/// <param name="Points">Indexes of points in <see cref="Site.SiteModel.Points"/>, in address order.</param>
public sealed record PlannedRead(ReadRequest Request, IReadOnlyList<int> Points);
