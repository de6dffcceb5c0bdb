using Microsoft.Data.Sqlite;

namespace EdgeGateway.Integration.Storage;

/// <summary>Looks at a store, and damages it, through another library than the store's own code.</summary>
internal static class Sql
{
    public static void Execute(string path, string sql)
    {
        using var db = Open(path);
        using var command = db.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static long Long(string path, string sql)
    {
        using var db = Open(path);
        using var command = db.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private static SqliteConnection Open(string path)
    {
        var db = new SqliteConnection($"Data Source={path};Pooling=False");
        db.Open();
        return db;
    }
}
