using System.Globalization;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols.Gpio;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.Lines;

/// <summary>
/// Keeps lines from one bus to the next while a configuration is changed over, and from one process to the next by the service manager's descriptor store (sd_pid_notify_with_fds(3)): the
/// kernel goes on keeping their edges meanwhile.
/// </summary>
/// <remarks>A descriptor's name is <c>gpio-BUS-UNIT-INPUT-REQUEST</c>.</remarks>
internal sealed class LineShelf : IDisposable
{
    private const string Prefix = "gpio-";
    private const int FirstDescriptor = 3;

    private readonly ServiceManager? _manager;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<KeptLines>> _kept = [];

    /// <param name="manager">Keeps copies while this program is down; null when nobody does.</param>
    /// <param name="handed">What it kept, by name.</param>
    public LineShelf(ServiceManager? manager, IEnumerable<(string Name, SafeFileHandle Descriptor)> handed)
    {
        _manager = manager;
        foreach (var (name, descriptor) in handed)
        {
            var dash = name.LastIndexOf('-');
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && dash > Prefix.Length)
            {
                Add(name[..dash], new KeptLines(name[(dash + 1)..], descriptor, null));
            }
            else
            {
                descriptor.Dispose();
            }
        }
    }

    /// <summary>Whether somebody keeps lines while this program is down.</summary>
    public bool OutlivesProcess => _manager?.KeepsDescriptors ?? false;

    /// <summary>Descriptors that the service manager handed to this process (sd_listen_fds_with_names(3)).</summary>
    /// <param name="variable">Reads a variable of the environment.</param>
    /// <param name="processId">This process.</param>
    public static IEnumerable<(string Name, SafeFileHandle Descriptor)> Handed(Func<string, string?> variable, int processId)
    {
        if (!int.TryParse(variable("LISTEN_PID"), NumberStyles.None, CultureInfo.InvariantCulture, out var meant) || meant != processId
            || !int.TryParse(variable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            yield break;
        }

        var names = variable("LISTEN_FDNAMES")?.Split(':') ?? [];
        for (var i = 0; i < count; i++)
        {
            yield return (i < names.Length ? names[i] : "", new SafeFileHandle(FirstDescriptor + i, ownsHandle: true));
        }
    }

    /// <summary>Takes lines that were kept for an input; null when there are none left.</summary>
    public KeptLines? Take(string bus, GpioInput input)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(KeyOf(bus, input), out var kept) || kept.Count == 0)
            {
                return null;
            }

            var last = kept[^1];
            kept.RemoveAt(kept.Count - 1);
            return last;
        }
    }

    /// <summary>Puts lines here that were in use.</summary>
    public void Put(string bus, GpioInput input, string request, GpioLines lines) => Add(KeyOf(bus, input), new KeptLines(request, null, lines));

    /// <summary>Has a copy kept while this program is down.</summary>
    public void Announce(string bus, GpioInput input, string request, GpioLines lines) => _manager?.Keep($"{KeyOf(bus, input)}-{request}", lines.Descriptor);

    /// <summary>Lets the copy go.</summary>
    public void Forget(string bus, GpioInput input, string request) => _manager?.Forget($"{KeyOf(bus, input)}-{request}");

    /// <summary>Lets go of all that no input of a site will take: others may use the lines.</summary>
    public void KeepOnly(SiteModel site)
    {
        ArgumentNullException.ThrowIfNull(site);
        var wanted = site.Buses.OfType<GpioBus>().SelectMany(b => b.Inputs.OfType<GpioInput>().Where(i => i.HasEdges()).Select(i => KeyOf(b.Id, i))).ToHashSet(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var (key, kept) in _kept.Where(k => !wanted.Contains(k.Key)).ToList())
            {
                foreach (var lines in kept)
                {
                    lines.Dispose();
                    _manager?.Forget($"{key}-{lines.Request}");
                }

                _kept.Remove(key);
            }
        }
    }

    /// <summary>Closes what nobody took; what the service manager keeps stays kept.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var lines in _kept.Values.SelectMany(k => k))
            {
                lines.Dispose();
            }

            _kept.Clear();
        }
    }

    private static string KeyOf(string bus, GpioInput input) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{bus}-{input.Unit}-{input.Number}");

    private void Add(string key, KeptLines lines)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(key, out var kept))
            {
                _kept[key] = kept = [];
            }

            kept.Add(lines);
        }
    }
}

/// <summary>Lines that were kept: by the bus before in this process, or by the service manager as a descriptor.</summary>
/// <param name="Request">Names the request.</param>
/// <param name="Descriptor">The descriptor, or null.</param>
/// <param name="Lines">The lines, or null.</param>
internal sealed record KeptLines(string Request, SafeFileHandle? Descriptor, GpioLines? Lines) : IDisposable
{
    /// <summary>Goes on with them, when they are what is expected.</summary>
    /// <exception cref="GpioException">They are not; the message says the difference.</exception>
    public GpioLines Adopt(GpioChip chip, GpioLineRequest expected)
    {
        if (Lines is null)
        {
            return GpioLines.Adopt(Descriptor!, chip, expected);
        }

        return Lines.Chip == chip.Name && Lines.Settings.SequenceEqual(expected.Lines)
            ? Lines
            : throw new GpioException(GpioFault.Mismatch, "the configuration asks for other lines or settings");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Descriptor?.Dispose();
        Lines?.Dispose();
    }
}
