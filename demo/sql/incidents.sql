-- Breakage incidents of a few slots of time: $1 starts, $2 first and $3 last row numbers, $4 shares
-- that are severe, $5 shares that are open, $6 the length of every slot.

INSERT INTO meta_breakage_incidents
    (id, description, responsibility, status, severity, created_at, product_item_id, batch_code,
     customer_name)
WITH slots AS (
    SELECT *
    FROM unnest($1::timestamp[], $2::bigint[], $3::bigint[], $4::float8[], $5::float8[])
        AS slot (start, first, last, severe, open)
),
outlined AS MATERIALIZED (
    SELECT
        n,
        start + $6::interval * ((n - first + demo.draw(n, 41)) / (last - first + 1)) AS created_at,
        demo.evenly(n, 0.6180339887498949) < open AS is_open,
        demo.draw(n, 42) < severe AS is_severe,
        'MC-' || lpad(floor(demo.draw(n, 43) * 400)::text, 3, '0') AS machine,
        demo.pick(demo.draw(n, 59), ARRAY[
            'bearing noise above 70 dB', 'seal leaks at 6 bar', 'spindle overheats', 'coating peels off',
            'thread M8 stripped', 'connector pin bent', 'housing cracked at rib', 'screw missing',
            'label does not match order', 'surface scratched', 'weld seam porous', 'motor draws 12 A',
            '轴承异响', '密封圈漏油', '外壳开裂', '表面划伤', '焊缝气孔', '螺纹滑牙', '标签错误', '电机过热'
        ]) AS fault,
        demo.draw(n, 44) AS oddity
    FROM slots CROSS JOIN LATERAL generate_series(first, last) AS n
)
SELECT
    demo.identifier('incident', n),
    CASE
        WHEN oddity < 0.01 THEN demo.pick(demo.draw(n, 45), ARRAY['', '   ', E'\t'])
        -- What happens again and again, as different people type it.
        WHEN oddity < 0.46 THEN
            demo.pick(demo.draw(n, 46), '{"","","",""," ","  "}')
            || CASE floor(demo.draw(n, 47) * 8)::integer WHEN 0 THEN upper(fault) WHEN 1 THEN initcap(fault) ELSE fault END
            || demo.pick(demo.draw(n, 48), '{"","","",""," "}')
        ELSE fault || ' (' || machine || ', ' || to_char(created_at, 'MM-DD HH24:MI:SS') || ', #' || n || ')'
    END,
    CASE WHEN oddity BETWEEN 0.50 AND 0.54 THEN NULL
        WHEN oddity BETWEEN 0.54 AND 0.56 THEN ''
        WHEN oddity BETWEEN 0.56 AND 0.565 THEN ' '
        ELSE demo.pick(demo.draw(n, 49), '{supplier,supplier,supplier,production,production,quality,quality,
            design,logistics,采购部,质量部,Supplier}')
    END,
    demo.spelled(
        CASE WHEN is_open THEN 'open'
            ELSE demo.pick(demo.draw(n, 50), '{closed,closed,closed,resolved,resolved,in_progress}')
        END,
        demo.draw(n, 51)
    ),
    CASE WHEN oddity BETWEEN 0.60 AND 0.605 THEN ''
        WHEN is_severe THEN demo.spelled(demo.pick(demo.draw(n, 52), '{high,high,critical}'), demo.draw(n, 53))
        ELSE demo.spelled(demo.pick(demo.draw(n, 54), '{low,medium,medium}'), demo.draw(n, 55))
    END,
    created_at,
    demo.identifier('part', floor(demo.draw(n, 56) * 3000)::bigint),
    'LOT-' || to_char(created_at, 'YYMMDD') || '-' || floor(demo.draw(n, 57) * 40)::text,
    demo.pick(demo.draw(n, 58), '{Northwind Motors,Hanse Marine,华东机电,成都精工,Lakeside Tools}')
FROM outlined
