using System.Text;
using EdgeGateway.Buses;
using EdgeGateway.Core.Diagnosis;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Protocols.Modbus;
using CoreTable = EdgeGateway.Core.Profiles.RegisterTable;

namespace EdgeGateway.Scanning;

/// <summary>Finds out what a unit is: by what it says, by the SunSpec marker, and by which profiles its registers fit.</summary>
/// <remarks>Polite: names and probes first, registers only for profiles that are still possible, each register once.</remarks>
internal sealed class UnitExaminer(IReadOnlyList<DeviceProfile> profiles, TimeSpan timeout, TimeProvider time)
{
    private const int ProposalsShown = 3;
    private const int WorthProposing = 20;
    private const int SilenceEndsIt = 3;
    private const int FewPoints = 8;

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(20);

    /// <summary>Examines one unit.</summary>
    public async Task<FoundUnit> ExamineAsync(IProbe probe, ScanPlace place, byte unit, Action<int, int> step, CancellationToken cancel)
    {
        var reading = new Reading(probe, unit, timeout, time);
        var names = await probe.NamesAsync(unit, timeout, cancel).ConfigureAwait(false);
        var (sunSpec, said) = await SunSpecAsync(reading, cancel).ConfigureAwait(false);
        IReadOnlyList<string> texts = [.. names.All, .. said];

        // Models of a SunSpec device are where its list says; a profile of a model that it does not have is no candidate.
        var list = sunSpec is { } marker ? await ModelsAsync(reading, marker, cancel).ConfigureAwait(false) : null;
        var models = (list?.Models ?? []).DistinctBy(m => m.Number).ToDictionary(m => m.Number);
        var candidates = profiles
            .Where(p => !p.IsLocal && !p.IsDlt645 && !p.IsHj212)
            .Where(p => p.SunSpec is null || models.ContainsKey(p.SunSpec.Number))
            .Select(p => p.SunSpec is not null && models[p.SunSpec.Number] is var model ? p.At(model.At, model.Registers) : p)
            .ToArray();
        foreach (var encoding in candidates.SelectMany(p => p.Identify).Select(p => p.Encoding).DistinctBy(e => (e.Table, e.Span)))
        {
            await reading.ReadAsync(encoding.Table, encoding.Span.First, encoding.Span.Length, cancel).ConfigureAwait(false);
        }

        var possible = candidates.Where(p => ProfileFits.PassesProbes(p, reading.Registers)).ToArray();
        for (var i = 0; i < possible.Length; i++)
        {
            step(i, possible.Length);
            await ReadPointsAsync(reading, possible[i], cancel).ConfigureAwait(false);
        }

        var fits = ProfileFits.Rank(possible, reading.Registers, texts).Where(f => f.IsPossible && f.Percent >= WorthProposing).Take(ProposalsShown).ToArray();
        List<string> notes = [];
        if (list?.Problem is { } broken)
        {
            notes.Add(broken);
        }

        if (fits.Length == 0 && reading.Silent >= SilenceEndsIt)
        {
            notes.Add("it answered at first and fell silent: scan again with a longer --timeout");
        }

        var found = new FoundUnit
        {
            Where = place.Text,
            Place = place,
            Unit = unit,
            Identification = [.. names.Identification, .. said.Except(names.Identification)],
            ServerId = names.ServerId,
            SunSpecAt = sunSpec,
            Profiles = [.. fits.Select(f => new ProposedProfile(f.Profile.Id, f.Profile.TitleEnglish, f.Percent, f.Reasons))],
        };
        if (found.IsNearTie)
        {
            notes.Add($"{fits[0].Profile.Id} and {fits[1].Profile.Id} fit about equally well: read the name plate");
        }

        return found with { Notes = notes };
    }

    // SunSpec Device Information Model Specification 1.1: the marker, then model 1 with maker and model.
    private static async Task<(int? At, IReadOnlyList<string> Said)> SunSpecAsync(Reading reading, CancellationToken cancel)
    {
        var words = new ushort[32];
        foreach (var at in SunSpecPlaces.Bases)
        {
            await reading.ReadAsync(CoreTable.HoldingRegister, at, 2, cancel).ConfigureAwait(false);
            if (reading.Registers.Get(CoreTable.HoldingRegister, at, words.AsSpan(0, 2)) == RegisterState.Read && words is [0x5375, 0x6E53, ..])
            {
                // Maker and model apart: some devices take no request of 32 registers.
                await reading.ReadAsync(CoreTable.HoldingRegister, at + 4, 16, cancel).ConfigureAwait(false);
                await reading.ReadAsync(CoreTable.HoldingRegister, at + 20, 16, cancel).ConfigureAwait(false);
                return reading.Registers.Get(CoreTable.HoldingRegister, at + 4, words) == RegisterState.Read
                    ? (at, [.. new[] { Text(words.AsSpan(0, 16)), Text(words.AsSpan(16, 16)) }.Where(t => t.Length > 0)])
                    : (at, []);
            }
        }

        return (null, []);
    }

    /// <summary>The list of models behind the marker, as far as the device shows it.</summary>
    private static async Task<SunSpecWalk> ModelsAsync(Reading reading, int marker, CancellationToken cancel)
    {
        var walk = new SunSpecWalk(marker);
        var words = new ushort[2];
        while (walk.Next is { } at)
        {
            await reading.ReadAsync(CoreTable.HoldingRegister, at, 2, cancel).ConfigureAwait(false);
            if (reading.Registers.Get(CoreTable.HoldingRegister, at, words) != RegisterState.Read)
            {
                walk.Refused();
                break;
            }

            walk.Take(words[0], words[1]);
        }

        return walk;
    }

    private static string Text(ReadOnlySpan<ushort> words)
    {
        var text = new StringBuilder(2 * words.Length);
        foreach (var word in words)
        {
            foreach (var b in (ReadOnlySpan<int>)[word >> 8, word & 0xFF])
            {
                if (b is >= 0x20 and < 0x7F)
                {
                    text.Append((char)b);
                }
            }
        }

        return text.ToString().Trim();
    }

    /// <summary>Reads the points of a profile; gives it up when the device refuses most of them or falls silent.</summary>
    private static async Task ReadPointsAsync(Reading reading, DeviceProfile profile, CancellationToken cancel)
    {
        var (asked, refused, silent) = (0, 0, reading.Silent);
        foreach (var block in Blocks(profile))
        {
            // A refused block says only that one of its registers is missing; which, single requests tell.
            await reading.ReadAsync(block[0].Table, block[0].Span.First, block.Max(e => e.Span.End) - block[0].Span.First, cancel, isOnePoint: block.Count == 1).ConfigureAwait(false);
            foreach (var encoding in block)
            {
                await reading.ReadAsync(encoding.Table, encoding.Span.First, encoding.Span.Length, cancel).ConfigureAwait(false);
                asked++;
                refused += reading.Registers.StateOf(encoding.Table, encoding.Span) == RegisterState.Refused ? 1 : 0;
                if ((asked >= FewPoints && refused > asked / 2) || reading.Silent >= silent + SilenceEndsIt)
                {
                    return;
                }
            }
        }
    }

    /// <summary>Neighbouring points in one request, nothing between them, as long as the profile allows.</summary>
    private static List<List<RegisterEncoding>> Blocks(DeviceProfile profile)
    {
        List<List<RegisterEncoding>> blocks = [];
        foreach (var encoding in profile.Points.Select(p => p.Encoding).OrderBy(e => e.Table).ThenBy(e => e.Span.First).ThenBy(e => e.Span.Length))
        {
            var last = blocks.Count > 0 ? blocks[^1] : null;
            if (last is not null && last[0].Table == encoding.Table && encoding.Span.First <= last.Max(e => e.Span.End) && encoding.Span.End - last[0].Span.First <= profile.MaxRegistersPerRead)
            {
                last.Add(encoding);
            }
            else
            {
                blocks.Add([encoding]);
            }
        }

        return blocks;
    }

    /// <summary>Reads registers of one unit, each of them once.</summary>
    private sealed class Reading(IProbe probe, byte unit, TimeSpan timeout, TimeProvider time)
    {
        private readonly ushort[] _words = new ushort[125];

        public RegisterSnapshot Registers { get; } = new();

        /// <summary>Requests in a row without an answer.</summary>
        public int Silent { get; private set; }

        public async Task ReadAsync(CoreTable table, int address, int quantity, CancellationToken cancel, bool isOnePoint = true)
        {
            if (quantity > _words.Length || address + quantity > 0x10000 || Registers.StateOf(table, new((ushort)address, quantity)) != RegisterState.Unknown)
            {
                return;
            }

            // Some meters need a pause after every answer.
            await Task.Delay(Rest, time, cancel).ConfigureAwait(false);
            var outcome = await probe.ReadAsync(unit, ModbusBus.TableOf(table), (ushort)address, quantity, _words, timeout, cancel).ConfigureAwait(false);
            switch (outcome.Status)
            {
                case ModbusStatus.Ok:
                    Silent = 0;
                    Registers.Put(table, address, _words.AsSpan(0, quantity));
                    break;
                case ModbusStatus.Exception:
                    Silent = 0;
                    if (isOnePoint)
                    {
                        Registers.PutRefused(table, address, quantity);
                    }

                    break;
                default:
                    Silent++;
                    break;
            }
        }
    }
}
