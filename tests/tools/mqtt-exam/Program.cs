using EdgeGateway.Exam;
using EdgeGateway.Storage;

if (args.Length != 6)
{
    Console.Error.WriteLine("usage: mqtt-exam HOST PORT VERSION OUTBOX STATE OPTIONS (README.md beside the program says what they are)");
    return ExamExit.Usage;
}

try
{
    var options = ExamOptions.Read(args[0], args[1], args[2], args[5]);
    return await ExamRun.RunAsync(options, outboxFolder: args[3], stateFolder: args[4], TimeProvider.System).ConfigureAwait(false);
}
catch (ExamException e)
{
    Console.Error.WriteLine($"mqtt-exam: {e.Message}");
    return e.ExitCode;
}
catch (Exception e) when (e is StoreException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"mqtt-exam: {e.Message}");
    return ExamExit.Failed;
}
