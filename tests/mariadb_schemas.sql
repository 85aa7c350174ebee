create table countries (code char(2) not null, name varchar(100) not null comment 'It''s a "name"; 100% ü', primary key (code)) comment='Länder';

create table `select` (
  id int unsigned not null auto_increment,
  tiny tinyint(1) not null default 1, flag boolean, t3 tinyint(3) unsigned zerofill default 7, sm smallint(4), med mediumint unsigned,
  big bigint unsigned default 18446744073709551615,
  amount decimal(12,4) not null default 0.0000, udec decimal(10,2) unsigned, f float, f2 float(7,3), d double unsigned,
  b1 bit(1) default b'1', b8 bit(8) default b'10101010',
  y year default 2020,
  c char(10) charset latin1 collate latin1_bin default 'x', v varchar(255) not null default 'it''s "q" \\ back%s :colon',
  tt tinytext, mt mediumtext character set ascii, lt longtext, tx text not null default 'abc',
  bin binary(16), vb varbinary(200) default x'00ff', bl blob, lb longblob,
  e enum('a','b''c','d,e','ü') not null default 'b''c', s set('x','y') default 'x,y',
  j json not null default '{}', j2 json check (json_length(j2) < 5), jx longtext collate utf8mb4_bin check (json_valid(jx)),
  u uuid default uuid(), ip inet6, ip4 inet4,
  ts timestamp not null default current_timestamp on update current_timestamp, ts3 timestamp(3) null default current_timestamp(3) on update current_timestamp(3),
  dt datetime(6) default current_timestamp(6), dt0 datetime default '2020-01-01 00:00:00', da date default (current_date() + interval 1 day), ti time(2) default '10:00:00',
  g1 int generated always as (sm * 2) virtual, g2 varchar(300) as (concat(v, ' %s ', sm)) stored comment 'stored one',
  hidden int invisible default 5, exprd int default (floor(rand() * 10)), nul varchar(10) default null,
  code char(2), `order` int, `Mixed Case` int check (`Mixed Case` > 0), pt point not null, geo geometry,
  compressed_c varchar(100) compressed,
  primary key (id), unique key uq_v (v(20), sm desc), key ix_desc (sm desc, med), fulltext key ft (v, tx), spatial key sp (pt), key ix_hash (y) using hash, key pre (lt(30)) comment 'prefix',
  key ign (big) ignored, unique key (u),
  constraint fk_code foreign key (code) references countries (code) on delete set null on update cascade,
  constraint `positive amount` check (amount >= 0 and e <> 'it''s'), check (sm > 1 or v like '%:x%')
) comment='reserved' row_format=dynamic;

create table bin_table (a varchar(10), b varchar(10) collate utf8mb4_unicode_ci, primary key (a)) default charset=utf8mb4 collate=utf8mb4_bin engine=InnoDB row_format=compressed key_block_size=8;

create table lat (a varchar(10), b int, primary key (b, a)) charset=latin1 engine=MyISAM;

create table mem (a int, b int, primary key (a) using btree, key (b) using btree, key h (b)) engine=MEMORY;

create table aria (a int) engine=Aria;

create table self (id bigint primary key auto_increment, parent bigint, foreign key (parent) references self (id));

create table x1 (id int primary key, y_id int);

create table x2 (id int primary key, x_id int, constraint fx foreign key (x_id) references x1 (id) on delete cascade);

alter table x1 add constraint fy foreign key (y_id) references x2 (id) on update no action;

create table comp (a int, b int, c varchar(20), primary key (b, a));

create table comp_ref (id int primary key, p int, q int, foreign key (p, q) references comp (b, a));

create table parts (id int not null, d date not null, primary key (id, d)) partition by range (year(d)) (partition p0 values less than (2000), partition p1 values less than maxvalue comment = 'rest');

create table hashed (id int primary key) partition by key (id) partitions 4;

create table listed (id int not null, r varchar(5) not null) partition by list columns (r) (partition a values in ('x','y'), partition b values in ('z'));

create table subp (id int, d date) partition by range (to_days(d)) subpartition by hash (id) subpartitions 2 (partition p0 values less than (100), partition p1 values less than maxvalue);

create table versioned (id int primary key, v int) with system versioning;

create table periods (id int, s date, e date, period for app (s, e), unique (id, app without overlaps));

create sequence sq start with 5 increment by 3 minvalue 1 maxvalue 1000 cache 10 cycle;

create sequence plain;

create table uses_seq (id bigint default nextval(plain) primary key, n int);

create view v_sel as select id, v as `Col``n`, 'a:b%s `x`.`y`' as lit from `select` where amount > 1;

create algorithm=merge sql security invoker view v_two as select * from v_sel where id > 3 with cascaded check option;

create view a_first as select count(*) as n from v_two;

create function f_add(a int, b int) returns int deterministic comment 'adds' return a + b;

create trigger trg_bi before insert on self for each row set new.parent = coalesce(new.parent, null);

create trigger trg_bi2 before insert on self for each row follows trg_bi set new.parent = new.parent;

create event ev on schedule every 1 day starts '2030-01-01 00:00:00' on completion preserve disable comment 'daily' do delete from self where id < 0;

create table no_pk (a int, b text);

create table `weird``name` (`a``b` int comment 'back`tick', `ünï` int, key `i``x` (`a``b`));

create procedure p_do(in x int, out y varchar(10)) modifies sql data sql security invoker begin declare z int default 0; set y = concat(':', x, '%s'); if x > 1 then insert into self (parent) values (null); end if; end;

create table `a,b) key` (`primary key` int, `constraint ``x` int default 3 comment 'line
two \\ back, ) `tick` ''quote''', `check` varchar(20) default ',)' check (`check` <> 'a`b),'), constraint `c,(1` check (`primary key` > 0));

create table counted (kind int not null, number int not null auto_increment, name varchar(20), primary key (kind), key (number));

create table history (
  id int primary key, started timestamp(6) generated always as row start, ended timestamp(6) generated always as row end,
  note varchar(20) without system versioning, period for system_time (started, ended)
) with system versioning;

create table long_names (
  v varchar(300), w varchar(300), unique key prefixed (v(100), w(50)), unique key falling (w(20) desc) comment 'falls', key both_of_them (v(10), w)
) auto_increment = 77;

create view grouped as
  select kind, group_concat(name order by name desc separator ' | ') as names, 'ü' as word, cast('{}' as char charset latin1) as other
  from counted group by kind having count(*) > 1 union all select 1, 'x', 'y', 'z';
