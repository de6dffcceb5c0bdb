namespace EdgeGateway.Core.Ledger;

/// <summary>What a record of the ledger says. The words are stored and never change; new ones may be added.</summary>
public enum LedgerKind : byte
{
    /// <summary>The first record: whose ledger it is, and the key that signs it.</summary>
    Opening,

    /// <summary>Another key signs from here on.</summary>
    Key,

    /// <summary>A configuration came into force.</summary>
    Configuration,

    /// <summary>A factor set came into force; its content is in the record.</summary>
    Factors,

    /// <summary>An entry of the carbon account, as published.</summary>
    Emission,

    /// <summary>What another factor set makes of entries of the past.</summary>
    Restatement,

    /// <summary>A check or an adjustment of a measuring device.</summary>
    Calibration,

    /// <summary>Something happened to an alarm.</summary>
    Alarm,

    /// <summary>Records may be missing before this one, and why.</summary>
    Gap,

    /// <summary>The signed root over the records of a day.</summary>
    Seal,

    /// <summary>The signed end of what was removed after its years.</summary>
    Closing,

    /// <summary>A factor that follows a stack was put into force, taken out of it, or forgotten.</summary>
    Decision,
}

/// <summary>The words of the ledger.</summary>
public static class LedgerWords
{
    /// <summary>Word of a kind: the value of <c>kind</c> in a record.</summary>
    public static string Word(this LedgerKind kind) => kind switch
    {
        LedgerKind.Opening => "opening",
        LedgerKind.Key => "key",
        LedgerKind.Configuration => "configuration",
        LedgerKind.Factors => "factors",
        LedgerKind.Emission => "emission",
        LedgerKind.Restatement => "restatement",
        LedgerKind.Calibration => "calibration",
        LedgerKind.Alarm => "alarm",
        LedgerKind.Gap => "gap",
        LedgerKind.Seal => "seal",
        LedgerKind.Closing => "closing",
        LedgerKind.Decision => "decision",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
