using System.Globalization;
using System.Text.RegularExpressions;
using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>
/// Golden transcripts: conversations on a bus, byte for byte, in Transcripts/MODE/*.txt.
/// <code>
/// read UNIT TABLE ADDRESS QUANTITY    write UNIT TABLE ADDRESS VALUE      a call of the client
/// &gt; bytes                             what it must send, exactly          T1, T2: a byte of a transaction id
/// &lt; 10ms bytes                        what comes so long after that
/// = outcome                           Ok and its values, Exception and its code, or the status
/// took 70ms   silence 3.6ms           the call took at most this; so much silence stood before the next thing sent
/// timeout 1s  wait 1s  lost  absent why  back    settings and events between calls
/// </code>
/// Bytes are hexadecimal, or text in quotes with \r and \n.
/// </summary>
public sealed partial class TranscriptTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Protocols", "Modbus", "Transcripts");

    public static TheoryData<string> Transcripts =>
        [.. Directory.EnumerateFiles(Folder, "*.txt", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Folder, f)).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Transcripts))]
    public async Task The_conversation_goes_byte_for_byte_as_written(string transcript)
    {
        await using var stage = new Stage(Path.GetDirectoryName(transcript)!);
        var lines = File.ReadAllLines(Path.Combine(Folder, transcript)).Where(l => l.Length > 0 && l[0] != '#').ToArray();
        for (var at = 0; at < lines.Length;)
        {
            var end = at + 1;
            while (end < lines.Length && (lines[end][0] is '<' or '>' or '=' || lines[end].Split(' ')[0] is "took" or "silence"))
            {
                end++;
            }

            await stage.PlayAsync(lines[at], lines[(at + 1)..end]);
            at = end;
        }

        Assert.True(stage.Calls > 0, "the transcript holds no call");
    }

    [Fact]
    public void Each_bus_behaviour_has_a_transcript_in_each_mode_where_it_can_occur()
    {
        string[] everywhere = ["read", "exception", "wrong-unit", "wrong-function", "fewer-registers", "late-reply"];
        string[] onLines = ["check-sum-error", "noise-after-the-frame", "noise-before-the-frame", "broken-off", "device-gone-and-back", "adapter-gone-and-back", "doubled-reply", "echo"];
        var missing = ((string[])["rtu", "ascii", "tcp", "udp"]).SelectMany(mode => everywhere.Select(name => $"{mode}/{name}.txt"))
            .Concat(((string[])["rtu", "ascii"]).SelectMany(mode => onLines.Select(name => $"{mode}/{name}.txt")))
            .Append("rtu/inter-frame-gap.txt")
            .Where(name => !File.Exists(Path.Combine(Folder, name)));
        Assert.Empty(missing);
    }

    private sealed partial class Stage : IAsyncDisposable
    {
        private readonly ScriptedClock _clock = new();
        private readonly Dictionary<string, byte[]> _transactions = [];
        private readonly Dictionary<string, int> _placeInId = [];
        private readonly ushort[] _values = new ushort[125];
        private ScriptedLine _line;
        private string? _absent;
        private TimeSpan _timeout = TimeSpan.FromMilliseconds(200);
        private TimeSpan _lastHeard;

        public Stage(string mode)
        {
            _line = new(_clock);
            OpenByteLine open = (_, _) =>
            {
                if (_absent is not null)
                {
                    throw new SerialPortException(_absent);
                }

                _line = _line.IsDisposed ? new(_clock) { OnWrite = _line.OnWrite } : _line;
                return ValueTask.FromResult<IByteLine>(_line);
            };
            var timing = new RtuTiming(new SerialSettings { Baud = 9600 });
            Client = mode switch
            {
                "rtu" => new ModbusRtuClient(open, timing, _clock),
                "ascii" => new ModbusAsciiClient(open, timing, _clock),
                "udp" => new ModbusUdpClient(open, _clock),
                _ => new ModbusTcpClient(open, _clock),
            };
        }

        public ModbusClient Client { get; }

        public int Calls { get; private set; }

        public async ValueTask DisposeAsync()
        {
            await Client.DisposeAsync();
            await _line.DisposeAsync();
        }

        public async Task PlayAsync(string first, string[] rest)
        {
            var words = first.Split(' ');
            switch (words[0])
            {
                case "timeout":
                    _timeout = Time(words[1]);
                    break;
                case "wait":
                    _clock.Advance(Time(words[1]));
                    break;
                case "lost":
                    _line.IsClosed = true;
                    break;
                case "absent":
                    _absent = first[7..];
                    break;
                case "back":
                    _absent = null;
                    break;
                default:
                    await CallAsync(words, rest);
                    break;
            }
        }

        private async Task CallAsync(string[] words, string[] rest)
        {
            Calls++;
            var script = new Queue<string>(rest.Where(l => l[0] is '<' or '>' or 's'));
            _line.OnWrite = bytes =>
            {
                if (script.TryPeek(out var silence) && silence[0] == 's')
                {
                    script.Dequeue();
                    var least = Time(silence.Split(' ')[1]);
                    Assert.InRange(_clock.Now - _lastHeard, least, least + TimeSpan.FromMicroseconds(10));
                }

                Assert.True(script.TryDequeue(out var expected) && expected[0] == '>', $"sent without being expected: {Convert.ToHexString(bytes)}");
                Assert.Equal(Convert.ToHexString(Bytes(expected[2..], bytes)), Convert.ToHexString(bytes));
                while (script.TryPeek(out var arrival) && arrival[0] == '<')
                {
                    script.Dequeue();
                    var parts = arrival[2..].Split(' ', 2);
                    _lastHeard = _clock.Now + Time(parts[0]);
                    _line.Arrive(Time(parts[0]), Bytes(parts[1], null));
                }
            };
            var started = _clock.Now;
            var (unit, table, address) = (byte.Parse(words[1], CultureInfo.InvariantCulture), Table(words[2]), ushort.Parse(words[3], CultureInfo.InvariantCulture));
            var isRead = words[0] == "read";
            var quantity = isRead ? int.Parse(words[4], CultureInfo.InvariantCulture) : 0;
            var outcome = isRead
                ? await Client.ReadAsync(unit, table, address, quantity, _values, _timeout)
                : await Client.WriteSingleAsync(unit, table, address, ushort.Parse(words[4], NumberStyles.HexNumber, CultureInfo.InvariantCulture), _timeout);

            Assert.True(script.Count == 0, $"not sent: {string.Join(" | ", script)}; the outcome was {outcome}");
            var said = outcome.Status switch
            {
                ModbusStatus.Ok => string.Join(' ', _values[..quantity].Select(v => v.ToString("X4", CultureInfo.InvariantCulture)).Prepend("Ok")),
                ModbusStatus.Exception => $"Exception {(byte)outcome.ExceptionCode:X2}",
                _ => outcome.Status.ToString(),
            };
            Assert.Equal(rest.Single(l => l[0] == '=')[2..], said);
            if (_absent is not null)
            {
                Assert.Contains(_absent, outcome.Describe(), StringComparison.Ordinal);
            }

            if (rest.FirstOrDefault(l => l[0] == 't') is { } took)
            {
                Assert.InRange(_clock.Now - started, TimeSpan.Zero, Time(took.Split(' ')[1]) + TimeSpan.FromMilliseconds(1));
            }
        }

        private byte[] Bytes(string text, byte[]? sent)
        {
            if (text[0] == '"')
            {
                return [.. text[1..^1].Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\n", "\n", StringComparison.Ordinal).Select(c => (byte)c)];
            }

            var words = text.Split(' ');
            var bytes = new byte[words.Length];
            var taken = new Dictionary<string, int>();
            for (var i = 0; i < words.Length; i++)
            {
                if (words[i][0] != 'T')
                {
                    bytes[i] = byte.Parse(words[i], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    continue;
                }

                if (sent is not null && i == 0)
                {
                    Assert.DoesNotContain(_transactions.Values, known => known.AsSpan().SequenceEqual(sent.AsSpan(0, 2)));
                    _transactions[words[i]] = sent[..2];
                }

                // An answer in pieces may begin with the second byte of the id.
                var place = _placeInId.TryGetValue(words[i], out var next) && sent is null ? next : taken.GetValueOrDefault(words[i]);
                bytes[i] = _transactions[words[i]][place];
                taken[words[i]] = 1 - place;
                _placeInId[words[i]] = sent is null ? 1 - place : 0;
            }

            return bytes;
        }

        private static RegisterTable Table(string word) => word switch
        {
            "coil" => RegisterTable.Coil,
            "discrete" => RegisterTable.DiscreteInput,
            "input" => RegisterTable.InputRegister,
            _ => RegisterTable.HoldingRegister,
        };

        private static TimeSpan Time(string text)
        {
            var match = Duration().Match(text);
            Assert.True(match.Success, $"'{text}' is no time");
            return TimeSpan.FromMilliseconds(double.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) * (match.Groups[2].Value == "s" ? 1000 : 1));
        }

        [GeneratedRegex("^([0-9.]+)(ms|s)$", RegexOptions.CultureInvariant)]
        private static partial Regex Duration();
    }
}
