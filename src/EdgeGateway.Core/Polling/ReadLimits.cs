using EdgeGateway.Core.Profiles;

namespace EdgeGateway.Core.Polling;

/// <summary>What every request to a device must respect.</summary>
/// <param name="MaxRegistersPerRead">Most registers in one request, 1 to 125 (MODBUS V1.1b3, 6.3).</param>
/// <param name="MayReadGaps">Whether addresses that nobody names may be read to save a request.</param>
/// <param name="MaxBitsPerRead">Most coils or discrete inputs in one request, 1 to 2000 (MODBUS V1.1b3, 6.1).</param>
public readonly record struct ReadLimits(int MaxRegistersPerRead, bool MayReadGaps, int MaxBitsPerRead = 2000)
{
    /// <summary>The limits that a profile states.</summary>
    public static ReadLimits Of(DeviceProfile profile) => new(profile.MaxRegistersPerRead, profile.MayReadGaps);

    /// <summary>Most registers or bits of <paramref name="table"/> in one request.</summary>
    public int Most(RegisterTable table) => table is RegisterTable.Coil or RegisterTable.DiscreteInput ? MaxBitsPerRead : MaxRegistersPerRead;

    internal void Validate(string name)
    {
        if (MaxRegistersPerRead is < 1 or > 125)
        {
            throw new ArgumentException($"A request brings 1 to 125 registers, not {MaxRegistersPerRead} (MODBUS V1.1b3, 6.3).", name);
        }

        if (MaxBitsPerRead is < 1 or > 2000)
        {
            throw new ArgumentException($"A request brings 1 to 2000 bits, not {MaxBitsPerRead} (MODBUS V1.1b3, 6.1).", name);
        }
    }
}
