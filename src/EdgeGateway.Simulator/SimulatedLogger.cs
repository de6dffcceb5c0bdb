using System.Globalization;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Core.Site;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Simulator;

/// <summary>One simulated device as an HJ 212 data logger: it sends real-time data of the factors that its profile has (<see cref="Hj212Layout"/>).</summary>
/// <param name="site">The physical side.</param>
/// <param name="device">Its place in the site.</param>
/// <param name="number">Its MN.</param>
/// <param name="numbers">Numbers of its packets.</param>
/// <param name="now">Local time of the site.</param>
internal sealed class SimulatedLogger(SimulatedSite site, int device, string number, Hj212Numbers numbers, Func<DateTime> now)
{
    private const string Password = "123456";

    private readonly (string Code, int Address, bool HasCorrected)[] _factors = FactorsOf(site.Site, device);

    /// <summary>What it sends now; two packets when one does not hold it.</summary>
    public IReadOnlyList<Hj212Packet> Packets()
    {
        List<IReadOnlyList<Hj212Field>> groups = [[new("DataTime", Hj212Time.Write(now()))]];
        foreach (var (code, address, hasCorrected) in _factors)
        {
            List<Hj212Field> fields = [];
            Put(fields, $"{code}-Rtd", address);
            if (hasCorrected)
            {
                Put(fields, $"{code}-ZsRtd", address + 4);
            }

            // Without a value the analyser does not talk to the logger. HJ 212-2017, table 8.
            fields.Add(new($"{code}-Flag", fields.Count > 0 ? "N" : "B"));
            groups.Add(fields);
        }

        var packet = Hj212Packet.Make(numbers.Next(), Hj212System.AirSource, Hj212Command.RealTime, Password, number, Hj212Flag.Of(wantsAnswer: true), groups);
        return Hj212Split.Split(packet, numbers.Next);
    }

    private static (string Code, int Address, bool HasCorrected)[] FactorsOf(SiteModel site, int device)
    {
        var addresses = site.Devices[device].Points.Select(p => (int)site.Points[p].Encoding.Address).ToHashSet();
        return
        [
            .. Enumerable.Range(0, Hj212Layout.Count)
                .Select(place => (Code: Hj212Layout.CodeOf(place), Address: (int)Hj212Layout.AddressOf(place)))
                .Where(f => addresses.Contains(f.Address))
                .Select(f => (f.Code, f.Address, addresses.Contains(f.Address + 4))),
        ];
    }

    private void Put(List<Hj212Field> fields, string key, int address)
    {
        Span<ushort> words = stackalloc ushort[4];
        if (site.TryReadNow(device, RegisterTable.InputRegister, address, words))
        {
            var value = BitConverter.UInt64BitsToDouble(((ulong)words[0] << 48) | ((ulong)words[1] << 32) | ((ulong)words[2] << 16) | words[3]);
            if (double.IsFinite(value) && Math.Abs(value) < (double)decimal.MaxValue)
            {
                // All digits, and never an exponent, which packets do not know.
                var digits = value.ToString(CultureInfo.InvariantCulture);
                fields.Add(new(key, digits.Contains('E', StringComparison.Ordinal) ? decimal.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) : digits));
            }
        }
    }
}
