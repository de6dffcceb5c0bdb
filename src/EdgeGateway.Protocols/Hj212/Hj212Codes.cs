namespace EdgeGateway.Protocols.Hj212;

/// <summary>Commands (field CN). HJ 212-2017, table 5.</summary>
public static class Hj212Command
{
    /// <summary>Sets the time limit and the number of repetitions.</summary>
    public const string SetTimeout = "1000";

    /// <summary>Reads the time of an analyser or of the logger.</summary>
    public const string ReadTime = "1011";

    /// <summary>Sets the time.</summary>
    public const string SetTime = "1012";

    /// <summary>The logger asks that its clock be set.</summary>
    public const string AskForTime = "1013";

    /// <summary>Reads the interval of real-time data.</summary>
    public const string ReadRealTimeInterval = "1061";

    /// <summary>Sets the interval of real-time data: RtdInterval, 30 to 3600 s.</summary>
    public const string SetRealTimeInterval = "1062";

    /// <summary>Reads the interval of minute data.</summary>
    public const string ReadMinuteInterval = "1063";

    /// <summary>Sets the interval of minute data.</summary>
    public const string SetMinuteInterval = "1064";

    /// <summary>Sets the password.</summary>
    public const string SetPassword = "1072";

    /// <summary>Real-time data.</summary>
    public const string RealTime = "2011";

    /// <summary>Stops real-time data.</summary>
    public const string StopRealTime = "2012";

    /// <summary>Data of a day.</summary>
    public const string Day = "2031";

    /// <summary>Data of some minutes.</summary>
    public const string Minute = "2051";

    /// <summary>Data of an hour.</summary>
    public const string Hour = "2061";

    /// <summary>The logger was started.</summary>
    public const string Started = "2081";

    /// <summary>Answer to a request: QnRtn.</summary>
    public const string RequestAnswer = "9011";

    /// <summary>Result of a request: ExeRtn.</summary>
    public const string Result = "9012";

    /// <summary>Acknowledges a notice.</summary>
    public const string NoticeAck = "9013";

    /// <summary>Acknowledges data.</summary>
    public const string DataAck = "9014";

    /// <summary>Whether it is an answer to an earlier packet, whose QN it repeats.</summary>
    public static bool IsAnswer(string command) => command is RequestAnswer or Result or NoticeAck or DataAck;

    /// <summary>Whether it carries measured data.</summary>
    public static bool IsData(string command) => command is RealTime or Minute or Hour or Day;
}

/// <summary>Answers to a request (QnRtn). HJ 212-2017, table 7.</summary>
public enum Hj212Answer
{
    /// <summary>It will be done.</summary>
    Ready = 1,

    /// <summary>It is refused.</summary>
    Refused = 2,

    /// <summary>The password is wrong.</summary>
    Password = 3,

    /// <summary>The MN is not this one's.</summary>
    Device = 4,

    /// <summary>The ST is wrong.</summary>
    System = 5,

    /// <summary>The Flag is wrong.</summary>
    Flag = 6,

    /// <summary>The QN is wrong.</summary>
    Number = 7,

    /// <summary>The CN is not known.</summary>
    Command = 8,

    /// <summary>The check sum is wrong.</summary>
    Crc = 9,

    /// <summary>Another error.</summary>
    Unknown = 100,
}

/// <summary>Results of a request (ExeRtn). HJ 212-2017, table 8.</summary>
public enum Hj212Result
{
    /// <summary>Done.</summary>
    Done = 1,

    /// <summary>Failed, without a reason.</summary>
    Failed = 2,

    /// <summary>The condition of the command is wrong.</summary>
    Condition = 3,

    /// <summary>The time limit passed.</summary>
    Timeout = 4,

    /// <summary>The system is busy.</summary>
    Busy = 5,

    /// <summary>The system is out of order.</summary>
    Fault = 6,

    /// <summary>There are no data.</summary>
    NoData = 100,
}

/// <summary>System codes (field ST). HJ 212-2017, table 4.</summary>
public static class Hj212System
{
    /// <summary>Pollution source of the air.</summary>
    public const string AirSource = "31";

    /// <summary>Pollution source of surface water.</summary>
    public const string WaterSource = "32";

    /// <summary>Answers between the two systems.</summary>
    public const string Interaction = "91";
}
