using System.Globalization;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Protocols.Dlt645;

namespace EdgeGateway.Scanning;

/// <summary>Looks for DL/T 645 meters on one line. It only reads: the question for the address (function 13), and voltages and energy (function 11).</summary>
/// <param name="probe">Asks; its owner disposes of it.</param>
/// <param name="profiles">What may be proposed.</param>
/// <param name="timeout">How long a meter may take to answer.</param>
internal sealed class MeterSearch(IMeterProbe probe, IReadOnlyList<DeviceProfile> profiles, TimeSpan timeout)
{
    // A meter answers within 500 ms (DL/T 645-2007).
    private static readonly TimeSpan LeastPatience = TimeSpan.FromMilliseconds(600);

    private const string SinglePhase = "generic-dlt645-single-phase";
    private const string ThreePhase = "generic-dlt645-three-phase";

    private static readonly DataIdentifier VoltageA = new(0x0201_0100);
    private static readonly DataIdentifier VoltageB = new(0x0201_0200);
    private static readonly DataIdentifier Energy = new(0x0001_0000);

    private TimeSpan Patience => timeout > LeastPatience ? timeout : LeastPatience;

    /// <summary>Asks whoever is there for the address, and those that are known already; each that answers is examined.</summary>
    /// <param name="known">Addresses to ask besides.</param>
    /// <param name="cancel">Interrupts.</param>
    /// <returns>The meters with what they are, and what else is worth knowing.</returns>
    public async Task<(IReadOnlyList<(MeterAddress Address, IReadOnlyList<ProposedProfile> Profiles, IReadOnlyList<string> Notes)> Meters, string? Note)> RunAsync(
        IEnumerable<MeterAddress> known, CancellationToken cancel)
    {
        var (outcome, heard) = await probe.IdentifyAsync(Patience, cancel).ConfigureAwait(false);
        List<(MeterAddress, IReadOnlyList<ProposedProfile>, IReadOnlyList<string>)> meters = [];
        foreach (var meter in known.Concat(heard).Distinct())
        {
            if (await ExamineAsync(meter, cancel).ConfigureAwait(false) is { } found)
            {
                meters.Add((meter, found.Profiles, found.Notes));
            }
        }

        return (meters, outcome.Status is Dlt645Status.Collision or Dlt645Status.NotConnected or Dlt645Status.Malformed ? outcome.Describe() : null);
    }

    private async Task<(IReadOnlyList<ProposedProfile> Profiles, IReadOnlyList<string> Notes)?> ExamineAsync(MeterAddress meter, CancellationToken cancel)
    {
        var a = await ReadAsync(meter, VoltageA, cancel).ConfigureAwait(false);
        if (a.Outcome.Status is not (Dlt645Status.Ok or Dlt645Status.Refused or Dlt645Status.NoValue))
        {
            // Once more: a single damaged answer is noise.
            a = await ReadAsync(meter, VoltageA, cancel).ConfigureAwait(false);
            if (a.Outcome.Status is not (Dlt645Status.Ok or Dlt645Status.Refused or Dlt645Status.NoValue))
            {
                return a.Outcome.Status == Dlt645Status.Timeout ? null : ([], [$"meter {meter}: {a.Outcome.Describe()}"]);
            }
        }

        var b = await ReadAsync(meter, VoltageB, cancel).ConfigureAwait(false);
        var energy = await ReadAsync(meter, Energy, cancel).ConfigureAwait(false);
        var isThreePhase = b.Value is > 0;
        var id = isThreePhase ? ThreePhase : SinglePhase;
        List<string> reasons = [$"DL/T 645-2007 meter {meter}"];
        Tell("voltage A", a.Value, "V");
        Tell("voltage B", b.Value, "V");
        Tell("forward active energy", energy.Value, "kWh");
        var profile = profiles.FirstOrDefault(p => p.Id == id);
        return (profile is null ? [] : [new ProposedProfile(id, profile.TitleEnglish, a.Value is > 0 ? 90 : 50, reasons)], []);

        void Tell(string what, decimal? value, string unit)
        {
            if (value is { } number)
            {
                reasons.Add(string.Create(CultureInfo.InvariantCulture, $"{what} reads {number} {unit}"));
            }
        }
    }

    private async Task<(Dlt645Outcome Outcome, decimal? Value)> ReadAsync(MeterAddress meter, DataIdentifier identifier, CancellationToken cancel)
    {
        var data = new byte[64];
        var outcome = await probe.ReadAsync(meter, identifier, data, Patience, cancel).ConfigureAwait(false);
        return (outcome, outcome.IsOk && DataItems.Find(identifier)!.TryValue(data.AsSpan(0, outcome.Length), out var value) ? value : null);
    }
}
