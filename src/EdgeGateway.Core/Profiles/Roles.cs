using System.Collections.Frozen;
using EdgeGateway.Core.Site;

namespace EdgeGateway.Core.Profiles;

/// <summary>What a point means, independent of the device: the vocabulary of the feed.</summary>
/// <param name="Name">Dotted name without a part suffix.</param>
/// <param name="Kind">Gauge, counter or state.</param>
/// <param name="Dimensions">What its unit must measure.</param>
/// <param name="English">Description for people.</param>
/// <param name="Chinese">The same in Chinese.</param>
/// <param name="Parts">Suffixes that may name a part: phases, axes, tariffs, channels.</param>
/// <param name="Alias">Name in other collections, accepted by converters only.</param>
public sealed record Role(
    string Name,
    PointKind Kind,
    IReadOnlyList<Dimension> Dimensions,
    string English,
    string Chinese,
    IReadOnlyList<string> Parts,
    string? Alias = null);

/// <summary>The closed, published list of roles. Additions are compatible; a name is never changed or reused.</summary>
public static class Roles
{
    /// <summary>Version of the vocabulary; grows when a role is added, and no role ever changes its meaning.</summary>
    public const string VocabularyVersion = "5";

    private static readonly string[] Whole = [];
    private static readonly string[] Lines = ["l1", "l2", "l3"];
    private static readonly string[] LinesAndNeutral = ["l1", "l2", "l3", "n", "g", "avg"];
    private static readonly string[] Voltages = ["l1_n", "l2_n", "l3_n", "l1_l2", "l2_l3", "l3_l1", "ln_avg", "ll_avg"];
    private static readonly string[] LinesAndTariffs = ["l1", "l2", "l3", "t1", "t2", "t3", "t4"];
    private static readonly string[] Quadrants = ["q1", "q2", "q3", "q4"];
    private static readonly string[] Distortion = ["l1", "l2", "l3", "l1_l2", "l2_l3", "l3_l1", "avg", "ll_avg"];
    private static readonly string[] Axes = ["x", "y", "z"];
    private static readonly string[] Channels = [.. Enumerable.Range(0, 17).Select(n => $"ch{n}")];

    /// <summary>Every role.</summary>
    public static readonly IReadOnlyList<Role> All =
    [
        Gauge("electricity.voltage", Dimension.Voltage, "Voltage", "电压", Voltages, "voltage"),
        Gauge("electricity.current", Dimension.Current, "Current", "电流", LinesAndNeutral, "current"),
        Gauge("electricity.power.active", Dimension.ActivePower, "Active power, import positive", "有功功率", Lines, "active_power"),
        Gauge("electricity.power.reactive", Dimension.ReactivePower, "Reactive power", "无功功率", Lines, "reactive_power"),
        Gauge("electricity.power.apparent", Dimension.ApparentPower, "Apparent power", "视在功率", Lines, "apparent_power"),
        Gauge("electricity.power.factor", Dimension.One, "Power factor", "功率因数", Lines, "power_factor"),
        Gauge("electricity.power.displacement_factor", Dimension.One, "Displacement factor, the power factor of the fundamental", "基波功率因数", Lines, "displacement_factor"),
        Gauge("electricity.phase.angle", Dimension.Angle, "Angle between voltage and current", "相角", Lines, "phase_angle"),
        Gauge("electricity.current.angle", Dimension.Angle, "Angle of a current against the reference of the device", "电流相角", LinesAndNeutral, "current_angle"),
        Gauge("electricity.current.imbalance", Dimension.One, "Imbalance of the currents", "电流不平衡度", Whole, "current_imbalance"),
        Gauge("electricity.voltage.imbalance", Dimension.One, "Imbalance of the voltages", "电压不平衡度", Whole, "voltage_imbalance"),
        Gauge("electricity.frequency", Dimension.Frequency, "Grid frequency", "频率", Whole, "frequency"),
        Gauge("electricity.thd.voltage", Dimension.One, "Total harmonic distortion of the voltage", "电压总谐波畸变率", Distortion, "thd_v"),
        Gauge("electricity.thd.current", Dimension.One, "Total harmonic distortion of the current", "电流总谐波畸变率", Distortion, "thd_i"),
        Counter("electricity.energy.active.import", Dimension.ActiveEnergy, "Active energy drawn from the grid", "正向有功电能", LinesAndTariffs, "active_energy_import"),
        Counter("electricity.energy.active.export", Dimension.ActiveEnergy, "Active energy fed into the grid", "反向有功电能", LinesAndTariffs, "active_energy_export"),
        Counter("electricity.energy.active.total", Dimension.ActiveEnergy, "Active energy of both directions added by the device", "总有功电能", LinesAndTariffs, "active_energy"),
        Counter("electricity.energy.reactive.import", Dimension.ReactiveEnergy, "Reactive energy, import", "正向无功电能", LinesAndTariffs, "reactive_energy_import"),
        Counter("electricity.energy.reactive.export", Dimension.ReactiveEnergy, "Reactive energy, export", "反向无功电能", LinesAndTariffs, "reactive_energy_export"),
        Counter("electricity.energy.reactive.total", Dimension.ReactiveEnergy, "Reactive energy of both directions added by the device", "总无功电能", LinesAndTariffs, "reactive_energy"),
        Counter("electricity.energy.reactive.quadrant", Dimension.ReactiveEnergy, "Reactive energy of one quadrant", "象限无功电能", Quadrants),
        Counter("electricity.energy.reactive.inductive", Dimension.ReactiveEnergy, "Inductive reactive energy", "感性无功电能", LinesAndTariffs, "reactive_energy_inductive"),
        Counter("electricity.energy.reactive.capacitive", Dimension.ReactiveEnergy, "Capacitive reactive energy", "容性无功电能", LinesAndTariffs, "reactive_energy_capacitive"),
        Gauge("electricity.energy.active.net", Dimension.ActiveEnergy, "Active energy drawn less active energy fed, as the device shows it; may fall", "净有功电能", LinesAndTariffs, "active_energy_net"),
        Gauge("electricity.energy.reactive.net", Dimension.ReactiveEnergy, "Reactive energy, import less export, as the device shows it; may fall", "净无功电能", LinesAndTariffs, "reactive_energy_net"),
        Counter("electricity.energy.apparent.total", Dimension.ApparentEnergy, "Apparent energy", "视在电能", LinesAndTariffs, "apparent_energy"),
        Counter("electricity.energy.apparent.import", Dimension.ApparentEnergy, "Apparent energy, import", "正向视在电能", LinesAndTariffs, "apparent_energy_import"),
        Counter("electricity.energy.apparent.export", Dimension.ApparentEnergy, "Apparent energy, export", "反向视在电能", LinesAndTariffs, "apparent_energy_export"),
        Gauge("electricity.demand.active.import", Dimension.ActivePower, "Maximum demand of active power drawn from the grid", "正向有功最大需量", LinesAndTariffs),
        Gauge("electricity.demand.active.export", Dimension.ActivePower, "Maximum demand of active power fed into the grid", "反向有功最大需量", LinesAndTariffs),
        Gauge("electricity.demand.active.import_reached", Dimension.Time, "When the maximum demand drawn was reached, in seconds since 1970", "正向有功最大需量发生时间", LinesAndTariffs),
        Gauge("electricity.demand.active.export_reached", Dimension.Time, "When the maximum demand fed was reached, in seconds since 1970", "反向有功最大需量发生时间", LinesAndTariffs),
        Gauge("electricity.dc.voltage", Dimension.Voltage, "Voltage of the direct-current side", "直流电压", Channels, "voltage_dc"),
        Gauge("electricity.dc.current", Dimension.Current, "Current of the direct-current side", "直流电流", Channels, "current_dc"),
        Gauge("electricity.dc.power", Dimension.ActivePower, "Power of the direct-current side", "直流功率", Channels, "power_dc"),

        Gauge("drive.frequency.output", Dimension.Frequency, "Output frequency of the drive", "输出频率", Whole, "output_frequency"),
        Gauge("drive.frequency.setpoint", Dimension.Frequency, "Frequency that is asked of the drive", "设定频率", Whole, "frequency_reference"),
        Gauge("drive.current.output", Dimension.Current, "Output current of the drive", "输出电流", Whole, "output_current"),
        Gauge("drive.voltage.output", Dimension.Voltage, "Output voltage of the drive", "输出电压", Whole, "output_voltage"),
        Gauge("drive.voltage.dc_link", Dimension.Voltage, "Voltage of the DC link", "直流母线电压", Whole, "dc_link_voltage"),
        Gauge("drive.voltage.mains", Dimension.Voltage, "Voltage of the mains that feeds the drive", "电网电压", Whole, "mains_voltage"),
        Gauge("drive.power.output", Dimension.ActivePower, "Output power of the drive", "输出功率", Whole),
        Gauge("drive.load", Dimension.One, "Output power of the drive in percent of its rating", "变频器负载率", Whole),
        Gauge("drive.thermal_load", Dimension.One, "Thermal load of the drive", "变频器热负荷", Whole, "drive_thermal_load"),
        Gauge("drive.ramp.up", Dimension.Time, "Acceleration time", "加速时间", Whole, "ramp_up_time"),
        Gauge("drive.ramp.down", Dimension.Time, "Deceleration time", "减速时间", Whole, "ramp_down_time"),
        Gauge("drive.motor.speed", Dimension.RotationalSpeed, "Speed of the motor", "电机转速", Whole, "motor_speed"),
        Gauge("drive.motor.speed_ratio", Dimension.One, "Speed of the motor in percent", "电机转速百分比", Whole, "motor_speed_percent"),
        Gauge("drive.motor.thermal_load", Dimension.One, "Thermal load of the motor", "电机热负荷", Whole, "motor_thermal_load"),
        Gauge("drive.motor.temperature", Dimension.Temperature, "Temperature of the motor", "电机温度", Whole),
        Gauge("drive.motor.torque", [Dimension.One, Dimension.Torque], "Torque of the motor", "电机转矩", Whole, "motor_torque"),
        Gauge("drive.temperature", Dimension.Temperature, "Temperature of the drive", "变频器温度", Whole, "temperature_heatsink"),
        Gauge("drive.pid.setpoint", Dimension.One, "Set point of the drive's own controller", "PID给定", Whole, "pid_setpoint"),
        Gauge("drive.pid.feedback", Dimension.One, "Feedback of the drive's own controller", "PID反馈", Whole, "pid_feedback"),
        Counter("drive.energy", Dimension.ActiveEnergy, "Energy counted by the drive; not a meter", "变频器电能", Whole, "energy_consumption"),
        State("drive.running", "Whether the drive runs", "运行状态", Whole, "run_state"),

        Gauge("conveyor.mass_flow", Dimension.MassFlow, "Mass flow on the belt", "瞬时流量", Whole, "mass_flow"),
        Gauge("conveyor.belt.load", Dimension.LinearDensity, "Mass on a metre of belt", "带面负荷", Whole, "belt_load"),
        Gauge("conveyor.belt.speed", Dimension.Speed, "Speed of the belt", "带速", Whole, "belt_speed"),
        Counter("conveyor.mass.total", Dimension.Mass, "Mass conveyed", "累计量", ["t1", "t2"], "mass_total"),
        Gauge("conveyor.load_cell", Dimension.Voltage, "Signal of a load cell", "称重传感器信号", Channels, "load_cell"),
        State("conveyor.misalignment", "Belt runs off its centre", "皮带跑偏", Channels),
        State("conveyor.pull_cord", "Emergency pull cord", "拉绳急停", Channels),
        State("conveyor.chute_blocked", "Material stands in the chute", "溜槽堵料", Channels),
        State("conveyor.underspeed", "Belt slips or is too slow", "皮带打滑", Channels),
        State("conveyor.tear", "Belt is torn along its length", "皮带纵撕", Channels),
        Gauge("weighing.gross", Dimension.Mass, "Gross weight", "毛重", Channels, "gross_weight"),
        Gauge("weighing.net", Dimension.Mass, "Net weight", "净重", Channels, "net_weight"),
        Counter("weighing.total", Dimension.Mass, "Weight added up", "累计重量", Channels),
        Counter("weighing.batches", Dimension.One, "Number of batches", "批次数", Channels),

        .. Gases(
            ("so2", "Sulfur dioxide", "二氧化硫"), ("no", "Nitrogen monoxide", "一氧化氮"), ("no2", "Nitrogen dioxide", "二氧化氮"),
            ("nox", "Nitrogen oxides", "氮氧化物"), ("o2", "Oxygen", "氧气"), ("co", "Carbon monoxide", "一氧化碳"),
            ("co2", "Carbon dioxide", "二氧化碳"), ("ch4", "Methane", "甲烷"), ("nh3", "Ammonia", "氨"), ("h2s", "Hydrogen sulfide", "硫化氢"),
            ("hcl", "Hydrogen chloride", "氯化氢"), ("hf", "Hydrogen fluoride", "氟化氢"), ("h2", "Hydrogen", "氢气"), ("h2o", "Water vapour", "水汽"),
            ("n2o", "Nitrous oxide", "氧化亚氮"), ("voc", "Volatile organic compounds", "挥发性有机物"), ("sf6", "Sulfur hexafluoride", "六氟化硫")),
        Gauge("gas.concentration.dust", Dimension.MassConcentration, "Dust", "颗粒物", Whole, "concentration_dust"),
        Gauge("gas.reading", [Dimension.One, Dimension.MassConcentration, Dimension.VolumeFraction], "Reading whose gas and unit are set on the device", "气体读数", Channels),
        Gauge("gas.dew_point", Dimension.Temperature, "Dew point of the gas", "气体露点", Whole),
        Gauge("gas.temperature", Dimension.Temperature, "Temperature of the gas", "气体温度", Channels),
        Gauge("gas.pressure", Dimension.Pressure, "Pressure of the gas", "气体压力", Channels),
        Gauge("flue.velocity", Dimension.Speed, "Velocity of the flue gas", "烟气流速", Whole, "gas_velocity"),
        Gauge("flue.temperature", Dimension.Temperature, "Temperature of the flue gas", "烟气温度", Whole),
        Gauge("flue.pressure.static", Dimension.Pressure, "Static pressure in the duct against ambient", "烟气静压", Whole, "static_pressure"),
        Gauge("flue.pressure.dynamic", Dimension.Pressure, "Dynamic pressure in the duct", "烟气动压", Whole, "dynamic_pressure"),
        Counter("fluid.volume.total", Dimension.Volume, "Volume of a liquid or a gas, as the meter counts it", "累计体积", Whole),
        Gauge("fluid.flow", Dimension.VolumeFlow, "Volume flow of a liquid or a gas", "体积流量", Whole),
        Gauge("flue.flow", Dimension.VolumeFlow, "Volume flow of the flue gas", "烟气流量", Whole),
        Gauge("flue.moisture", [Dimension.VolumeFraction, Dimension.One], "Moisture of the flue gas", "烟气湿度", Whole),
        Gauge("analyser.range", [Dimension.MassConcentration, Dimension.VolumeFraction, Dimension.One], "Upper end of the measuring range", "量程", Whole, "measuring_range"),
        Gauge("analyser.span_gas", [Dimension.MassConcentration, Dimension.VolumeFraction], "Concentration of the span gas", "标气浓度", Whole, "span_gas"),
        Gauge("analyser.slope", Dimension.One, "Slope of the last calibration", "校准斜率", Channels, "calibration_slope"),
        Gauge("analyser.offset", [Dimension.One, Dimension.MassConcentration, Dimension.VolumeFraction, Dimension.Voltage], "Offset of the last calibration", "校准截距", Channels, "calibration_offset"),
        Gauge("analyser.drift.zero", Dimension.One, "Zero drift", "零点漂移", Whole),
        Gauge("analyser.drift.span", Dimension.One, "Span drift", "量程漂移", Whole),
        Gauge("analyser.zero_gas", [Dimension.One, Dimension.MassConcentration, Dimension.VolumeFraction], "Concentration of the zero gas", "零气浓度", Channels),
        Gauge("analyser.raw", [Dimension.One, Dimension.MassConcentration, Dimension.VolumeFraction, Dimension.Voltage], "Signal before calibration", "原始信号", Channels, "raw_signal"),
        Gauge("analyser.calibrated.zero", Dimension.Time, "Time of the last zero calibration, in seconds since 1970", "零点校准时间", Whole),
        Gauge("analyser.calibrated.span", Dimension.Time, "Time of the last span calibration, in seconds since 1970", "量程校准时间", Whole),
        Gauge("analyser.stability", [Dimension.One, Dimension.MassConcentration, Dimension.VolumeFraction], "Stability of the reading", "读数稳定性", Whole),
        Gauge("analyser.temperature", Dimension.Temperature, "Temperature inside the analyser", "分析仪内部温度", Channels),
        Gauge("analyser.pressure", Dimension.Pressure, "Pressure inside the analyser", "分析仪内部压力", Channels),
        Gauge("analyser.sample_flow", Dimension.VolumeFlow, "Flow of the sample gas", "样气流量", Channels),

        .. DissolvedGases(
            ("h2", "hydrogen", "氢气"), ("ch4", "methane", "甲烷"), ("c2h2", "acetylene", "乙炔"), ("c2h4", "ethylene", "乙烯"), ("c2h6", "ethane", "乙烷"),
            ("co", "carbon monoxide", "一氧化碳"), ("co2", "carbon dioxide", "二氧化碳"), ("o2", "oxygen", "氧气"), ("n2", "nitrogen", "氮气"),
            ("total", "all combustible gases", "总可燃气体")),
        Gauge("transformer.moisture", Dimension.VolumeFraction, "Moisture in oil, parts per million by mass", "油中微水", ["avg_24h"], "moisture_in_oil"),
        Gauge("transformer.moisture_saturation", Dimension.One, "Moisture in oil relative to saturation", "油中水分相对饱和度", Whole, "relative_saturation"),
        Gauge("transformer.gas_pressure", Dimension.Pressure, "Total pressure of the gases dissolved in oil", "油中总气压", ["avg_24h"], "total_gas_pressure"),
        Gauge("transformer.temperature.oil", Dimension.Temperature, "Temperature of the oil", "油温", Channels),
        Gauge("transformer.temperature.winding", Dimension.Temperature, "Temperature of a winding", "绕组温度", Channels),
        Gauge("transformer.oil_level", Dimension.One, "Level of the oil", "油位", Channels),

        Gauge("switchgear.gas.density", Dimension.Density, "Density of the insulating gas", "绝缘气体密度", Channels),
        Gauge("switchgear.gas.pressure", Dimension.Pressure, "Pressure of the insulating gas", "绝缘气体压力", Channels),
        Gauge("switchgear.gas.pressure_20", Dimension.Pressure, "Pressure of the insulating gas, referred to 20 degrees Celsius", "绝缘气体20℃折算压力", Channels),
        Gauge("switchgear.gas.temperature", Dimension.Temperature, "Temperature of the insulating gas", "绝缘气体温度", Channels),
        Gauge("switchgear.gas.dew_point", Dimension.Temperature, "Dew point of the insulating gas", "绝缘气体露点", Channels),
        Gauge("switchgear.gas.moisture", Dimension.VolumeFraction, "Moisture of the insulating gas", "绝缘气体微水", Channels),

        Gauge("ventilation.air_velocity", Dimension.Speed, "Velocity of the air", "风速", Channels),
        Gauge("ventilation.air_flow", Dimension.VolumeFlow, "Volume flow of the air", "风量", Channels),
        Gauge("ventilation.pressure", Dimension.Pressure, "Pressure of the ventilation against ambient", "通风负压", Channels),
        State("ventilation.fan_running", "Whether a fan runs", "风机运行状态", Channels),

        Gauge("vibration.velocity.rms", Dimension.Speed, "Vibration velocity, RMS", "振动速度有效值", Axes, "velocity_rms"),
        Gauge("vibration.velocity.peak", Dimension.Speed, "Vibration velocity, peak", "振动速度峰值", Axes, "velocity_peak"),
        Gauge("vibration.velocity.peak_frequency", Dimension.Frequency, "Frequency of the strongest velocity component", "速度峰值频率", Axes),
        Gauge("vibration.acceleration.rms", Dimension.Acceleration, "Vibration acceleration, RMS", "振动加速度有效值", Axes, "acceleration_rms"),
        Gauge("vibration.acceleration.peak", Dimension.Acceleration, "Vibration acceleration, peak", "振动加速度峰值", Axes, "acceleration_peak"),
        Gauge("vibration.acceleration.hf_rms", Dimension.Acceleration, "High-frequency vibration acceleration, RMS", "高频振动加速度有效值", Axes),
        Gauge("vibration.kurtosis", Dimension.One, "Kurtosis of the acceleration", "峭度", Axes, "kurtosis"),
        Gauge("vibration.displacement", Dimension.Length, "Vibration displacement", "振动位移", Axes),
        Gauge("vibration.frequency", Dimension.Frequency, "Frequency of the vibration", "振动频率", Axes),
        Gauge("vibration.crest_factor", Dimension.One, "Crest factor of the acceleration", "峰值因子", Axes, "crest_factor"),

        Gauge("machine.temperature", Dimension.Temperature, "Temperature of a machine part", "设备温度", Channels, "temperature"),
        Gauge("environment.temperature", Dimension.Temperature, "Temperature of the surroundings", "环境温度", Channels),
        Gauge("environment.humidity", Dimension.One, "Relative humidity", "相对湿度", Channels, "relative_humidity"),
        Gauge("environment.dew_point", Dimension.Temperature, "Dew point of the surroundings", "环境露点", Whole),
        Gauge("environment.pressure", Dimension.Pressure, "Barometric pressure", "大气压", Whole),

        Gauge("signal.analog", [Dimension.One, Dimension.Current, Dimension.Voltage, Dimension.Frequency], "Analog signal without a meaning of its own", "模拟量", Channels, "analog_input"),
        State("signal.digital", "Digital signal without a meaning of its own", "开关量", Channels, "digital_input"),
        Gauge("signal.analog_output", [Dimension.One, Dimension.Current, Dimension.Voltage], "Analog output", "模拟量输出", Channels, "analog_output"),
        State("signal.digital_output", "Digital output", "开关量输出", Channels, "digital_output"),
        State("signal.alarm", "Alarm of a signal: wire break or out of range", "信号报警", Channels),
        Counter("signal.count", Dimension.One, "Counted pulses", "脉冲计数", Channels),
        Gauge("signal.frequency", Dimension.Frequency, "Pulses in a second", "脉冲频率", Channels),
        Gauge("signal.position", Dimension.One, "Position, in steps", "位置（步）", Whole),
        Counter("signal.edges.too_fast", Dimension.One, "Edges that came sooner than a pulse can: contact bounce", "过快边沿数（触点抖动）", Whole),
        Counter("signal.edges.untimed", Dimension.One, "Edges that are counted, or were lost, and whose time is not known", "时刻不明的边沿数", Whole),
        Counter("signal.edges.recovered", Dimension.One, "Edges that a program read which ended before it committed them; counted", "恢复的边沿数", Whole),
        Counter("signal.edges.misread", Dimension.One, "Edges of the direction that their line already had: too fast, or bounce", "误读边沿数", Whole),
        Counter("signal.breaks", Dimension.One, "Times in which nobody watched the signal, so that pulses may be missing", "中断次数", Whole),

        State("device.serial_number", "Serial number", "序列号", Whole, "serial_number"),
        State("device.identity", "Number by which the device names its type", "型号标识", Whole, "device_id"),
        State("device.vendor", "Maker, as the device names it", "制造商", Whole),
        State("device.model", "Model, as the device names it", "型号", Whole),
        State("device.version", "Version of hardware or firmware", "版本号", Whole),
        State("device.label", "Name that was given to the device at the site", "设备名称", Whole),
        new("device.manufactured", PointKind.State, [Dimension.One, Dimension.Time], "Date of manufacture", "出厂日期", Whole),
        Gauge("device.clock", Dimension.Time, "Clock of the device, in seconds since 1970", "设备时钟", Whole),
        State("device.status", "Status word or state", "状态字", ["1", "2"], "status_word"),
        State("device.command", "Command word as the device holds it", "控制字", Whole, "control_word"),
        State("device.fault", "Fault or error code", "故障代码", Whole, "fault_code"),
        State("device.alarm", "Alarms or warnings", "报警", ["1", "2", "3"], "alarm_bits"),
        State("device.mode", "Mode of operation", "工作方式", Whole, "device_mode"),
        State("device.setting", "A setting of the device", "设备参数", Channels),
        Gauge("device.correction", [Dimension.One, Dimension.Temperature, Dimension.Pressure], "Correction that the device adds to a value", "修正值", Whole),
        Counter("device.faults", Dimension.One, "Number of faults or trips", "故障次数", Whole, "fault_counter"),
        Counter("device.starts", Dimension.One, "Number of starts", "启动次数", Whole),
        Counter("device.time.operating", Dimension.Time, "Time of operation", "运行时间", Whole, "operating_time"),
        Counter("device.time.powered", Dimension.Time, "Time with power", "通电时间", Whole),
        Counter("device.time.unknown", Dimension.Time, "Time of which it is not known whether the device was in operation", "运行状态不明时间", Whole),
        Gauge("device.supply_voltage", Dimension.Voltage, "Supply voltage of the device", "供电电压", Whole, "supply_voltage"),
        Gauge("device.temperature", Dimension.Temperature, "Temperature inside the device", "设备内部温度", Whole),
        Gauge("device.pid.setpoint", Dimension.One, "Set point of the device's own controller", "控制器给定", Channels),
        Gauge("device.load", Dimension.One, "Load of the device's processor", "处理器负载", Whole),
        Gauge("device.memory.used", Dimension.One, "Share of the device's memory in use", "内存占用率", Whole),
        Gauge("device.memory.free", Dimension.Information, "Memory of the device that can be had", "可用内存", Whole),
        Gauge("device.storage.used", Dimension.One, "Share of the device's storage in use", "存储占用率", Whole),
        Gauge("device.storage.free", Dimension.Information, "Storage of the device that is free", "可用存储", Whole),
        Gauge("device.storage.wear", Dimension.One, "Share of the storage's life that is used", "存储寿命消耗", ["1", "2"]),
        Counter("device.storage.written", Dimension.Information, "Written to the device's storage", "存储累计写入量", Whole),
        State("device.clock.synchronised", "Whether a source of time keeps the device's clock", "时钟已同步", Whole),
        Gauge("device.clock.error", Dimension.Time, "How far the device's clock may be off at most", "时钟最大误差", Whole),
        Gauge("device.clock.offset", Dimension.Time, "How far the device's clock still has to be moved", "时钟偏移", Whole),
        Gauge("device.clock.step", Dimension.Time, "By how much the device's clock was set since the last reading", "时钟跳变", Whole),
        State("device.inputs", "Digital inputs as one word", "数字输入字", Whole, "digital_input_status"),
        State("device.outputs", "Digital outputs as one word", "数字输出字", Whole, "digital_output_status"),
    ];

    private static readonly FrozenDictionary<string, Role> ByName = All.ToFrozenDictionary(r => r.Name);

    /// <summary>The role of a dotted name with or without a part suffix; null when the list has none.</summary>
    public static Role? Find(string name)
    {
        if (ByName.TryGetValue(name, out var whole))
        {
            return whole;
        }

        var dot = name.LastIndexOf('.');
        return dot > 0 && ByName.TryGetValue(name[..dot], out var role) && role.Parts.Contains(name[(dot + 1)..]) ? role : null;
    }

    /// <summary>The name that was probably meant, or null: the alias of another collection, or a slip of the pen.</summary>
    public static string? Meant(string written) =>
        All.FirstOrDefault(r => r.Alias == written)?.Name ?? Configuration.Spelling.Nearest(written, ByName.Keys.Order(StringComparer.Ordinal));

    private static Role Gauge(string name, Dimension dimension, string english, string chinese, string[] parts, string? alias = null) =>
        new(name, PointKind.Gauge, [dimension], english, chinese, parts, alias);

    private static Role Gauge(string name, Dimension[] dimensions, string english, string chinese, string[] parts, string? alias = null) =>
        new(name, PointKind.Gauge, dimensions, english, chinese, parts, alias);

    private static Role Counter(string name, Dimension dimension, string english, string chinese, string[] parts, string? alias = null) =>
        new(name, PointKind.Counter, [dimension], english, chinese, parts, alias);

    private static Role State(string name, string english, string chinese, string[] parts, string? alias = null) =>
        new(name, PointKind.State, [Dimension.One], english, chinese, parts, alias);

    // Gases dissolved in the oil of a transformer: present value, average of a day, and change in a day.
    private static IEnumerable<Role> DissolvedGases(params (string Formula, string English, string Chinese)[] gases) =>
        gases.SelectMany(g => new[]
        {
            Gauge($"transformer.gas.{g.Formula}", Dimension.VolumeFraction, $"Dissolved in oil: {g.English}", $"油中溶解{g.Chinese}", ["avg_24h"]),
            Gauge($"transformer.gas_rate.{g.Formula}", Dimension.VolumeFractionRate, $"Change in a day, dissolved in oil: {g.English}", $"油中溶解{g.Chinese}日变化率", Whole),
        });

    // Analysers report a mass concentration or a volume fraction; percent as written by devices is percent by volume.
    private static IEnumerable<Role> Gases(params (string Formula, string English, string Chinese)[] gases) =>
        gases.Select(g => new Role(
            $"gas.concentration.{g.Formula}",
            PointKind.Gauge,
            [Dimension.MassConcentration, Dimension.VolumeFraction],
            g.English,
            g.Chinese,
            Channels,
            $"concentration_{g.Formula}"));
}
