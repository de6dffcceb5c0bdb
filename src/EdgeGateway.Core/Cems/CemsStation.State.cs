using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <content>Its state between two starts of the program, and between two configurations.</content>
internal sealed partial class CemsStation
{
    public void Save(StateWriter writer, int version)
    {
        writer.Write(_start);
        writer.Write(_from);
        writer.Write(_accrued);
        writer.Write(_minute);
        foreach (var ms in _operatingMs)
        {
            writer.Write(ms);
        }

        writer.Write(_loadSum);
        writer.Write(_loadMs);
        foreach (var channel in _gases)
        {
            channel.Save(writer);
        }

        foreach (var channel in _inputs)
        {
            channel?.Save(writer);
        }

        foreach (var permit in _permits)
        {
            permit?.Save(writer);
        }

        SaveLasting(writer, version);
    }

    /// <summary>Reads what <see cref="Save"/> wrote.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the state: 1 to <see cref="CemsBook.StateVersion"/>.</param>
    public void Load(ref StateReader reader, int version)
    {
        _start = reader.ReadInt64();
        _from = reader.ReadInt64();
        _accrued = reader.ReadInt64();
        _minute = reader.ReadInt64();
        for (var i = 0; i < _operatingMs.Length; i++)
        {
            _operatingMs[i] = reader.ReadInt64();
        }

        _loadSum = reader.ReadDecimal();
        _loadMs = reader.ReadInt64();
        foreach (var channel in _gases)
        {
            channel.Load(ref reader, version, _from, _accrued);
        }

        foreach (var channel in _inputs)
        {
            channel?.Load(ref reader, version, _from, _accrued);
        }

        foreach (var permit in _permits)
        {
            permit?.Load(ref reader);
        }

        LoadLasting(ref reader, version);
    }

    /// <summary>Writes what also outlives a change of configuration: look-back, availability, calibrations and hours that wait.</summary>
    public void SaveLasting(StateWriter writer, int version)
    {
        writer.Write(_isOperating);
        writer.Write(_load);
        writer.Write((byte)_state);
        writer.Write(_periodEnd);
        writer.Write(_dayEnd);
        writer.Write(_carried);
        foreach (var calibration in _calibrations)
        {
            calibration.Save(writer, version);
        }

        foreach (var track in _tracks)
        {
            track.Save(writer, version);
        }

        foreach (var audit in _audits)
        {
            audit.Save(writer);
        }

        writer.Write(_waiting.Count);
        foreach (var hour in _waiting)
        {
            hour.Save(writer, version);
        }

        if (version > 2)
        {
            writer.Write(_kept.Count);
            foreach (var hour in _kept)
            {
                hour.Save(writer, version);
            }
        }
    }

    /// <summary>Reads what <see cref="SaveLasting"/> wrote for the same <see cref="Layout"/>.</summary>
    /// <param name="reader">From where.</param>
    /// <param name="version">Version of the state.</param>
    public void LoadLasting(ref StateReader reader, int version)
    {
        _isOperating = reader.ReadBoolean();
        _load = reader.ReadDouble();
        _state = (CemsState)reader.ReadByte();
        _periodEnd = reader.ReadInt64();
        _dayEnd = reader.ReadInt64();
        _carried = reader.ReadDecimal();
        foreach (var calibration in _calibrations)
        {
            calibration.Load(ref reader, version);
        }

        foreach (var track in _tracks)
        {
            track.Load(ref reader, version);
        }

        foreach (var audit in version > 1 ? _audits : [])
        {
            audit.Load(ref reader);
        }

        _waiting.Clear();
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            _waiting.Enqueue(CemsHour.Load(ref reader, _tracks.Length, version));
        }

        _kept.Clear();
        for (var left = version > 2 ? reader.ReadInt32() : 0; left > 0; left--)
        {
            _kept.Enqueue(CemsHour.Load(ref reader, _tracks.Length, version));
        }
    }
}
