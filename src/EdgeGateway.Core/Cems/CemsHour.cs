using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;

namespace EdgeGateway.Core.Cems;

/// <summary>What is known of one quantity of an hour that may still wait for the end of a missing period.</summary>
internal struct CemsEntry
{
    /// <summary>The value that counts; null when there is none (yet).</summary>
    public decimal? Value;

    /// <summary>kg/h where the rules substitute masses; null when there is none (yet).</summary>
    public decimal? Rate;

    public bool IsValid;
    public bool IsWaiting;
    public CemsFlag Flag;
    public int Points;
    public CalibrationStatus? Calibration;
    public decimal? Availability;
    public string? Rule;
    public string? Modc;
    public int Lookback;
    public int Missing;
    public decimal? Corrected;
    public string? Note;

    /// <summary>Share of the hour's time in which what it is made from was heard, 0 to 1.</summary>
    public double Coverage;

    public readonly void Save(StateWriter writer)
    {
        writer.Write(Value);
        writer.Write(Rate);
        writer.Write(IsValid);
        writer.Write(IsWaiting);
        writer.Write((byte)Flag);
        writer.Write(Points);
        writer.Write(Calibration is { } status ? (byte)((byte)status + 1) : (byte)0);
        writer.Write(Availability);
        writer.Write(Rule ?? "");
        writer.Write(Modc ?? "");
        writer.Write(Lookback);
        writer.Write(Missing);
        writer.Write(Corrected);
        writer.Write(Note ?? "");
        writer.Write(Coverage);
    }

    public void Load(ref StateReader reader, int version)
    {
        Value = reader.ReadNullableDecimal();
        Rate = reader.ReadNullableDecimal();
        IsValid = reader.ReadBoolean();
        IsWaiting = reader.ReadBoolean();
        Flag = (CemsFlag)reader.ReadByte();
        Points = reader.ReadInt32();
        Calibration = reader.ReadByte() is > 0 and var status ? (CalibrationStatus)(status - 1) : null;
        Availability = reader.ReadNullableDecimal();
        Rule = reader.ReadString() is { Length: > 0 } rule ? rule : null;
        Modc = reader.ReadString() is { Length: > 0 } modc ? modc : null;
        Lookback = reader.ReadInt32();
        Missing = reader.ReadInt32();
        Corrected = reader.ReadNullableDecimal();
        Note = reader.ReadString() is { Length: > 0 } note ? note : null;
        Coverage = version > 1 ? reader.ReadDouble() : 1;
    }
}

/// <summary>An hour from its end until it is final. Times are Unix milliseconds.</summary>
internal sealed class CemsHour
{
    /// <summary>Where the part of the hour that was watched begins: with the hour, or later.</summary>
    public required long Start { get; init; }

    public required long Width { get; init; }

    public required int Era { get; init; }

    public required WindowCut Cut { get; init; }

    public required decimal OperatingTime { get; init; }

    /// <summary>Load bin, 0 to 9.</summary>
    public required int Bin { get; init; }

    public required decimal? OxygenPercent { get; init; }

    /// <summary>Gases, then flow, then moisture, as the station counts them.</summary>
    public required CemsEntry[] Entries { get; init; }

    /// <summary>Share of an hour in which the unit stood that the stack was heard in, 0 to 1. Not kept: such an hour waits for nothing.</summary>
    public double StoodHeard { get; init; }

    /// <summary>How often it has been published.</summary>
    public int Revision { get; set; }

    /// <summary>How often it has been entered into the carbon account: more than once when it was taken back.</summary>
    public int Entered { get; set; }

    /// <summary>The part of a milligram that was carried into its entry; each entry of it begins with the same.</summary>
    public decimal Carried { get; set; }

    public bool IsFinal => !Array.Exists(Entries, e => e.IsWaiting);

    /// <summary>Writes it as a version of the station's state has it: 2 or the present one.</summary>
    public void Save(StateWriter writer, int version)
    {
        writer.Write(Start);
        writer.Write(Width);
        writer.Write(Era);
        writer.Write((byte)Cut);
        writer.Write(OperatingTime);
        writer.Write(Bin);
        writer.Write(OxygenPercent);
        if (version > 2)
        {
            writer.Write(Revision);
            writer.Write(Entered);
            writer.Write(Carried);
        }
        else
        {
            writer.Write(Revision > 0);
        }

        foreach (var entry in Entries)
        {
            entry.Save(writer);
        }
    }

    public static CemsHour Load(ref StateReader reader, int entries, int version)
    {
        var hour = new CemsHour
        {
            Start = reader.ReadInt64(),
            Width = reader.ReadInt64(),
            Era = reader.ReadInt32(),
            Cut = (WindowCut)reader.ReadByte(),
            OperatingTime = reader.ReadDecimal(),
            Bin = reader.ReadInt32(),
            OxygenPercent = reader.ReadNullableDecimal(),
            Revision = version > 2 ? reader.ReadInt32() : reader.ReadBoolean() ? 1 : 0,
            Entered = version > 2 ? reader.ReadInt32() : 0,
            Carried = version > 2 ? reader.ReadDecimal() : 0,
            Entries = new CemsEntry[entries],
        };
        for (var i = 0; i < entries; i++)
        {
            hour.Entries[i].Load(ref reader, version);
        }

        return hour;
    }
}
